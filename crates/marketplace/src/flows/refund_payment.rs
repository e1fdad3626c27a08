//! Staff send a payment back to where it came from, in part or wholly. What is sent back is set aside in the wallet
//! first, so a refund never gives anybody money, and an answer that was lost leaves it set aside until it is known.

use kernel::{Caller, Money, RefundId, UserId};
use ledger::{HoldOutcome, templates};
use payments::{NewRefund, Refund};
use sea_orm::DatabaseTransaction;
use store::{IdempotencyKey, StoreError, StoredAnswer};

use super::once::{Begun, Effect, Once};
use crate::{Failpoint, FlowError, Marketplace};

impl Marketplace {
    /// Refunds a payment once under the key, and gives the refund as it is after the provider was asked. `answer` writes
    /// the answer that is kept.
    ///
    /// # Errors
    /// When there is no such payment or it was credited to nobody, less of it is left than is to be refunded, the user
    /// has spent it, or the key was used for another request or its first one is under way.
    pub async fn refund_payment(
        &self,
        caller: &Caller,
        new: &NewRefund,
        key: &IdempotencyKey,
        answer: fn(&Refund) -> StoredAnswer,
    ) -> Result<Once<Refund>, FlowError> {
        let intend = async |txn: &DatabaseTransaction| {
            let refund = self.payments.request_refund_in_txn(txn, caller, new).await?;
            self.failpoints.reach(Failpoint::RefundReserved).await;
            if let (Some(user), Some(amount)) = (refund.user, refund.amount.inr_money()) {
                self.hold_refund_in_txn(txn, caller, refund.id, user, amount).await?;
            }
            self.failpoints.reach(Failpoint::RefundHeld).await;
            Ok(Effect::Done(refund.id.to_string()))
        };
        let lease = match self.begin_once(key, intend).await? {
            Begun::Leased { lease, .. } => lease,
            Begun::Before(before) => return Ok(Once::Before(before)),
        };
        self.failpoints.reach(Failpoint::RefundIntended).await;
        let refund = intended(lease.recovery_point())?;
        self.send_refund(refund).await?;
        let refund = self.payments.refund(refund).await?;
        let done = async |_: &DatabaseTransaction| Ok(Effect::Done(refund.clone()));
        let refund = self.finish_once(&lease, done, answer).await?;
        self.failpoints.reach(Failpoint::RefundKept).await;
        Ok(refund)
    }

    /// Sets aside what is to be sent back. A wallet that does not hold it refuses, which undoes the request.
    async fn hold_refund_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        refund: RefundId,
        user: UserId,
        amount: Money,
    ) -> Result<(), FlowError> {
        let hold = templates::refund_hold(refund, user, amount).by(&caller.actor);
        match self.ledger.open_hold_in_txn(txn, &hold).await? {
            HoldOutcome::Posted(hold, journal) | HoldOutcome::Known(hold, journal) => {
                self.payments.attach_hold_in_txn(txn, refund, hold).await?;
                self.wallet_changed_in_txn(txn, user, "refund_requested", journal).await
            }
            HoldOutcome::Refused(refusal) => Err(FlowError::Refused(refusal)),
        }
    }

    /// Asks the provider for a refund that is intended and committed, unless it has it already. What comes of it is
    /// applied; when nobody knows, the poller asks again under the same key.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn send_refund(&self, refund: RefundId) -> Result<(), FlowError> {
        let start = async |txn: &DatabaseTransaction| {
            Ok::<_, FlowError>(self.payments.start_refund_in_txn(txn, refund).await?)
        };
        let Some(send) = self.db.in_txn(start).await? else { return Ok(()) };
        let answer = self.payments.send_refund(&send).await;
        self.failpoints.reach(Failpoint::RefundSent).await;
        self.db
            .in_txn(async |txn| {
                let facts = self.payments.note_refund_answer_in_txn(txn, &send, &answer).await?;
                self.settle_in_txn(txn, &facts).await?;
                self.failpoints.reach(Failpoint::RefundNoted).await;
                Ok::<_, FlowError>(())
            })
            .await
    }
}

/// The refund that a lease is about.
fn intended(recovery_point: Option<&str>) -> Result<RefundId, FlowError> {
    recovery_point
        .and_then(|point| point.parse().ok())
        .ok_or_else(|| StoreError::Corrupt("a refund's recovery point names no refund".to_owned()).into())
}
