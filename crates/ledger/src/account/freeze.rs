//! Freezing a wallet: nothing may be spent out of it until it is thawed.

use kernel::{Caller, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use store::{Engine, audit};

use super::rows;
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Freezes the wallet or thaws it, and records who did so and why. Credits and the ends of holds go on while it is
    /// frozen. Tells whether that changed anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_frozen_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        user: UserId,
        frozen: bool,
        reason: &str,
    ) -> Result<bool, LedgerError> {
        let before = rows::lock(txn, user, self.ambient.now()).await?;
        if before.frozen == frozen {
            return Ok(false);
        }
        let update = Engine::of(txn.get_database_backend()).statement(
            "UPDATE ledger_wallets SET frozen = ? WHERE user_id = ?",
            [frozen.into(), user.uuid().into()],
        );
        txn.execute_raw(update).await?;
        let entry = audit::Entry {
            caller,
            action: if frozen { "wallet.frozen" } else { "wallet.thawed" },
            subject_kind: "wallet",
            subject_id: user.to_string(),
            before: json!({ "frozen": before.frozen }),
            after: json!({ "frozen": frozen }),
            reason: Some(reason.to_owned()),
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(true)
    }
}
