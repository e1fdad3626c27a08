//! A payment's row under its lock, with its refunds: what every change to either goes through.

use chrono::{DateTime, Utc};
use kernel::{Ambient, PaymentId, RefundId};
use sea_orm::DatabaseTransaction;
use store::StoreError;

use super::rows::{self, PaymentRow};
use super::{PaymentFact, PaymentOutcome};
use crate::refund::{rows as refund_rows, rules};
use crate::{PaymentError, ProviderRefund, Refund, RefundOrigin, RefundSpeed, RefundStatus};

/// A locked payment and its refunds.
pub(crate) struct Locked {
    pub(crate) payment: PaymentRow,
    pub(crate) refunds: Vec<Refund>,
    /// Refunds that came to their end under this lock.
    ended: Vec<RefundId>,
    now: DateTime<Utc>,
}

impl Locked {
    pub(crate) async fn by_id(
        txn: &DatabaseTransaction,
        id: PaymentId,
        now: DateTime<Utc>,
    ) -> Result<Self, PaymentError> {
        let payment = rows::lock(txn, id).await?.ok_or(PaymentError::PaymentNotFound)?;
        Self::of(txn, payment, now).await
    }

    pub(super) async fn of(
        txn: &DatabaseTransaction,
        payment: PaymentRow,
        now: DateTime<Utc>,
    ) -> Result<Self, PaymentError> {
        let refunds = refund_rows::of_payment(txn, payment.id).await?;
        Ok(Self { payment, refunds, ended: Vec::new(), now })
    }

    /// Whether refunds that are done took all of it.
    pub(super) fn is_wholly_refunded(&self) -> bool {
        self.totals().1 >= self.payment.charge.amount
    }

    fn totals(&self) -> (i64, i64) {
        let refunds = self.refunds.iter().map(|refund| (refund.status, refund.amount.amount));
        rules::totals(self.payment.charge.amount, refunds)
    }

    /// Takes in what the provider says of one refund: one of ours by its id there or by its receipt, or somebody
    /// else's, which gets a row of its own. So does one of ours that was given up as refused and is there after all:
    /// its money was let go, and what went back now is to be accounted for like any other.
    pub(crate) async fn see(
        &mut self,
        txn: &DatabaseTransaction,
        ambient: &Ambient,
        seen: &ProviderRefund,
    ) -> Result<(), PaymentError> {
        if seen.payment_id != self.payment.provider_id {
            return Ok(());
        }
        let by_id = |refund: &Refund| refund.provider_refund_id.as_deref() == Some(seen.id.as_str());
        let by_receipt = |refund: &Refund| {
            refund.provider_refund_id.is_none()
                && !refund.status.is_final()
                && seen.receipt.as_deref() == Some(refund.id.to_string().as_str())
        };
        let known = self.refunds.iter().position(by_id).or_else(|| self.refunds.iter().position(by_receipt));
        let (at, before) = match known {
            Some(at) => (at, self.refunds.get(at).map(|refund| refund.status)),
            None => (self.refunds.len(), None),
        };
        if known.is_none() {
            self.refunds.push(self.elsewhere(ambient, seen));
        }
        let Some(refund) = self.refunds.get_mut(at) else {
            return Ok(());
        };
        if refund.status.is_contradicted_by(seen.state) {
            metrics::counter!("refunds_contradicted_total").increment(1);
            tracing::error!(refund = %refund.id, "the provider takes back how a refund ended: look at it");
        }
        let after = refund.status.seen(seen.state);
        let learnt_id = refund.provider_refund_id.is_none();
        if before == Some(after) && !learnt_id {
            return Ok(());
        }
        refund.status = after;
        refund.provider_refund_id = Some(seen.id.clone());
        refund.updated_at = self.now;
        if before.is_none() {
            refund_rows::insert(txn, refund).await?;
        } else {
            refund.version = refund.version.saturating_add(1);
            refund_rows::write(txn, refund).await?;
        }
        if after.is_final() && before != Some(after) {
            self.ended.push(refund.id);
        }
        Ok(())
    }

    /// Ends a refund of ours that will not happen, if it still has this version and the provider was not seen to have it.
    /// A send is allowed without the lock on the payment, so the row itself tells.
    pub(crate) async fn fail(
        &mut self,
        txn: &DatabaseTransaction,
        id: RefundId,
        version: i64,
    ) -> Result<bool, PaymentError> {
        let to = RefundStatus::Failed;
        if !refund_rows::move_from(txn, id, version, to, self.now).await? {
            return Ok(false);
        }
        if let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) {
            (refund.status, refund.version, refund.updated_at) = (to, version.saturating_add(1), self.now);
            self.ended.push(id);
        }
        Ok(true)
    }

    /// Counts the refunds anew and writes the payment.
    pub(crate) async fn write(&mut self, txn: &DatabaseTransaction) -> Result<(), StoreError> {
        let (reserved, done) = self.totals();
        self.payment.refund_reserved = reserved;
        self.payment.refunded = done;
        if self.payment.outcome == Some(PaymentOutcome::Unmatched) && done == self.payment.charge.amount {
            self.payment.outcome = Some(PaymentOutcome::Returned);
        }
        rows::write(txn, &self.payment, self.now).await
    }

    /// What the ends of refunds mean under this outcome of the payment. When the outcome is new, refunds in the
    /// dashboard that were done before it are told with it.
    pub(crate) fn facts_of_refunds(&self, outcome: Option<PaymentOutcome>, is_new: bool) -> Vec<PaymentFact> {
        let told = |refund: &&Refund| {
            let was_early = is_new && refund.origin == RefundOrigin::Dashboard && refund.status.is_final();
            was_early || self.ended.contains(&refund.id)
        };
        self.refunds.iter().filter(told).filter_map(|refund| self.fact(refund, outcome)).collect()
    }

    fn fact(&self, refund: &Refund, outcome: Option<PaymentOutcome>) -> Option<PaymentFact> {
        let (id, payment) = (refund.id, self.payment.id);
        let provider_payment_id = self.payment.provider_id.clone();
        let amount = refund.amount.inr_money();
        let is_done = refund.status == RefundStatus::Processed;
        match (refund.origin, outcome) {
            (RefundOrigin::App, _) => {
                let (hold, user, amount) = (refund.hold?, self.payment.user?, amount?);
                Some(if is_done {
                    PaymentFact::RefundProcessed { refund: id, payment, hold, user, amount }
                } else {
                    PaymentFact::RefundFailed { refund: id, payment, hold, user, amount }
                })
            }
            (RefundOrigin::Dashboard, Some(PaymentOutcome::Credited)) if is_done => {
                Some(PaymentFact::RefundedElsewhere {
                    refund: id,
                    provider_refund_id: refund.provider_refund_id.clone()?,
                    payment,
                    provider_payment_id,
                    user: self.payment.user?,
                    amount: amount?,
                })
            }
            (RefundOrigin::Dashboard | RefundOrigin::Provider, Some(PaymentOutcome::Unmatched))
                if is_done =>
            {
                Some(PaymentFact::Returned {
                    refund: id,
                    provider_refund_id: refund.provider_refund_id.clone()?,
                    payment,
                    provider_payment_id,
                    amount,
                })
            }
            (RefundOrigin::Dashboard, Some(PaymentOutcome::Unmatched)) => {
                Some(PaymentFact::ReturnDue { payment })
            }
            (RefundOrigin::Provider, _) if !is_done => {
                Some(PaymentFact::ReturnFailed { refund: id, payment, provider_payment_id, amount })
            }
            _ => None,
        }
    }

    /// A refund that we did not make, as it is first seen.
    fn elsewhere(&self, ambient: &Ambient, seen: &ProviderRefund) -> Refund {
        let mut amount = self.payment.charge.clone();
        amount.amount = seen.amount;
        Refund {
            id: ambient.new_id(),
            payment: self.payment.id,
            provider_payment_id: self.payment.provider_id.clone(),
            user: self.payment.user,
            provider_refund_id: Some(seen.id.clone()),
            amount,
            origin: RefundOrigin::Dashboard,
            status: RefundStatus::Pending,
            speed: RefundSpeed::Normal,
            reason: None,
            requested_by: None,
            hold: None,
            version: 1,
            polls: 0,
            idem_key: format!("seen-{}", ambient.new_uuid()),
            created_at: self.now,
            updated_at: self.now,
        }
    }
}
