//! What a user's devices are told when their wallet has changed.

use kernel::{JournalId, UserId};
use ledger::Balances;
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::{NewEvent, append_event_in_txn};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Tells of a wallet as it is at the end of this transaction, which holds its row: the balances in paise, why they
    /// changed, and the journal that changed them last.
    pub(crate) async fn wallet_changed_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        reason: &'static str,
        journal: JournalId,
    ) -> Result<(), FlowError> {
        let wallet = self.ledger.lock_wallet_in_txn(txn, user).await?;
        self.tell_wallet_in_txn(txn, user, &wallet, reason, journal).await
    }

    /// The same of a wallet that the caller knows.
    pub(crate) async fn tell_wallet_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        wallet: &Balances,
        reason: &'static str,
        journal: JournalId,
    ) -> Result<(), FlowError> {
        let event = wallet_updated(user, wallet, reason, journal);
        Ok(append_event_in_txn(txn, &self.ambient, event).await.map(drop)?)
    }

    /// Writes an event about a user.
    pub(crate) async fn tell_user_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        kind: &'static str,
        payload: serde_json::Value,
    ) -> Result<(), FlowError> {
        let event = about_user(user, kind, payload);
        Ok(append_event_in_txn(txn, &self.ambient, event).await.map(drop)?)
    }
}

/// What is told of a wallet as it is at the end of the transaction.
pub(crate) fn wallet_updated(
    user: UserId,
    wallet: &Balances,
    reason: &'static str,
    journal: JournalId,
) -> NewEvent {
    let payload = json!({
        "available": wallet.available.amount(),
        "held": wallet.held.amount(),
        "promo": wallet.promo.amount(),
        "earnings": wallet.earnings.amount(),
        "debt": wallet.debt.amount(),
        "version": wallet.version,
        "reason": reason,
        "journal": journal,
    });
    about_user(user, "wallet.updated", payload)
}

fn about_user(user: UserId, kind: &'static str, payload: serde_json::Value) -> NewEvent {
    NewEvent { subject: format!("user:{user}"), kind, payload }
}
