//! Intending a refund: a part of the payment is reserved before anybody is asked.

use kernel::{Actor, Caller, HoldId, InvalidInput, Money, RefundId};
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::{StoreError, audit};

use super::{NewRefund, Refund, RefundOrigin, RefundSpeed, RefundStatus, rows};
use crate::payment::locked::Locked;
use crate::payment::rows::reserve;
use crate::{Charge, PaymentError, PaymentOutcome, Payments};

/// The provider gives back no less than one rupee (payments/refunds).
const PROVIDER_MIN: i64 = 100;

impl Payments {
    /// Reserves a part of a credited payment, or all that is left, to be sent back to its source, and records who asked.
    /// The flow holds the money in the wallet and says so by [`attach_hold_in_txn`](Self::attach_hold_in_txn).
    ///
    /// # Errors
    /// [`PaymentError::PaymentNotFound`], [`PaymentError::NotRefundable`], [`PaymentError::RefundTooLarge`]; an amount
    /// below one rupee (field `amount`).
    pub async fn request_refund_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        new: &NewRefund,
    ) -> Result<Refund, PaymentError> {
        let asked = new.amount.map(Money::amount);
        if asked.is_some_and(|amount| amount < PROVIDER_MIN) {
            let message = format!("must be at least {}", Money::inr(PROVIDER_MIN));
            return Err(InvalidInput::field("amount", "out_of_range", message).into());
        }
        let mut locked = Locked::by_id(txn, new.payment, self.ambient.now()).await?;
        let refund = self.reserve(txn, &mut locked, asked, PaymentOutcome::Credited).await?;
        let refund = Refund {
            speed: new.speed,
            reason: Some(new.reason.clone()),
            requested_by: caller.actor.user(),
            ..refund
        };
        rows::insert(txn, &refund).await?;
        self.record(txn, caller, &refund).await?;
        Ok(refund)
    }

    /// Says what the refund is held with.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is held with something else, or is not one of a user's money.
    pub async fn attach_hold_in_txn(
        &self,
        txn: &DatabaseTransaction,
        refund: RefundId,
        hold: HoldId,
    ) -> Result<(), PaymentError> {
        if rows::set_hold(txn, refund, hold).await? {
            return Ok(());
        }
        Err(StoreError::Corrupt(format!("refund {refund} cannot be held with {hold}")).into())
    }

    pub(super) async fn reserve(
        &self,
        txn: &DatabaseTransaction,
        locked: &mut Locked,
        asked: Option<i64>,
        outcome: PaymentOutcome,
    ) -> Result<Refund, PaymentError> {
        let payment = &locked.payment;
        if payment.outcome != Some(outcome) {
            return Err(PaymentError::NotRefundable);
        }
        let left = payment.charge.amount.saturating_sub(payment.refund_reserved);
        let amount = asked.unwrap_or(left);
        let now = self.ambient.now();
        if amount <= 0 || !reserve(txn, payment.id, amount, outcome, now).await? {
            return Err(PaymentError::RefundTooLarge);
        }
        let id: RefundId = self.ambient.new_id();
        let is_ours = outcome == PaymentOutcome::Credited;
        Ok(Refund {
            id,
            payment: payment.id,
            provider_payment_id: payment.provider_id.clone(),
            user: payment.user,
            provider_refund_id: None,
            amount: Charge { amount, currency: payment.charge.currency.clone() },
            origin: if is_ours { RefundOrigin::App } else { RefundOrigin::Provider },
            status: RefundStatus::Requested,
            speed: RefundSpeed::Normal,
            reason: None,
            requested_by: None,
            hold: None,
            version: 1,
            polls: 0,
            // 36 characters of hexadecimal digits and hyphens: what the provider takes for a key.
            idem_key: id.to_string(),
            created_at: now,
            updated_at: now,
        })
    }

    async fn record(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        refund: &Refund,
    ) -> Result<(), PaymentError> {
        if matches!(caller.actor, Actor::System(_)) {
            return Ok(());
        }
        let entry = audit::Entry {
            caller,
            action: "refund.requested",
            subject_kind: "refund",
            subject_id: refund.id.to_string(),
            before: Json::Null,
            after: json!({"paymentId": refund.payment, "amount": refund.amount, "speed": refund.speed}),
            reason: refund.reason.clone(),
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(())
    }
}
