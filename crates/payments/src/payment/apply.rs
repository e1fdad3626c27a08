//! The one way in which anything that was fetched is taken in: under the order's lock, then the payment's.

use sea_orm::DatabaseTransaction;

use super::locked::Locked;
use super::rows::{self, PaymentRow};
use super::rules::{self, OrderTerms};
use super::{FetchedPayment, Mismatch, PaymentFact, PaymentOutcome, PaymentStatus};
use crate::order::{rows as order_rows, rules as order_rules};
use crate::{Order, OrderStatus, PaymentError, Payments, ProviderPayment};

impl Payments {
    /// Takes in a payment as it was fetched, and tells what that means. Looks may come in any order, any number of times
    /// and at once: facts about money come out once, and their effects belong into this transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_in_txn(
        &self,
        txn: &DatabaseTransaction,
        fetched: &FetchedPayment,
    ) -> Result<Vec<PaymentFact>, PaymentError> {
        let seen = &fetched.payment;
        let order = self.lock_order(txn, fetched).await?;
        let payment = self.lock_payment(txn, seen).await?;
        let mut locked = Locked::of(txn, payment, self.ambient.now()).await?;
        for refund in &fetched.refunds {
            locked.see(txn, &self.ambient, refund).await?;
        }
        let facts = self.decide(txn, &mut locked, order.as_ref(), seen).await?;
        locked.write(txn).await?;
        Ok(facts)
    }

    /// The order that the payment pays, if it is ours: by its id, or by its receipt when the answer that told its id
    /// has not come yet.
    async fn lock_order(
        &self,
        txn: &DatabaseTransaction,
        fetched: &FetchedPayment,
    ) -> Result<Option<Order>, PaymentError> {
        let Some(provider_id) = &fetched.payment.order_id else {
            return Ok(None);
        };
        if let Some(order) = order_rows::lock_by_provider_id(txn, provider_id).await? {
            return Ok(Some(order));
        }
        let placed = fetched.order.as_ref().filter(|placed| &placed.id == provider_id);
        let Some((placed, receipt)) = placed.and_then(|placed| Some((placed, placed.receipt.as_deref()?)))
        else {
            return Ok(None);
        };
        let Some(order) = order_rows::lock_by_receipt(txn, receipt).await? else {
            return Ok(None);
        };
        let adopted = self.adopt(txn, order, placed).await?;
        // An order of ours that has another id there already is not the one that was paid.
        Ok(adopted.filter(|order| order.provider_order_id.as_ref() == Some(provider_id)))
    }

    async fn lock_payment(
        &self,
        txn: &DatabaseTransaction,
        seen: &ProviderPayment,
    ) -> Result<PaymentRow, PaymentError> {
        if let Some(payment) = rows::lock_by_provider_id(txn, &seen.id).await? {
            return Ok(payment);
        }
        rows::insert(txn, self.ambient.new_id(), seen, self.ambient.now()).await?;
        rows::lock_by_provider_id(txn, &seen.id).await?.ok_or(PaymentError::PaymentNotFound)
    }

    async fn decide(
        &self,
        txn: &DatabaseTransaction,
        locked: &mut Locked,
        order: Option<&Order>,
        seen: &ProviderPayment,
    ) -> Result<Vec<PaymentFact>, PaymentError> {
        let payment = &mut locked.payment;
        if let (None, None, Some(order)) = (payment.outcome, payment.order, order) {
            payment.order = Some(order.id);
            payment.user = Some(order.user);
        }
        let (before, known) = (payment.status, payment.outcome);
        payment.status = before.rise(seen.status);
        payment.method = seen.method.clone().or(payment.method.take());
        let terms = order.map(terms);
        let verdict = rules::judge(&payment.charge, seen.order_id.is_some(), terms.as_ref());
        let is_wholly_refunded = locked.is_wholly_refunded();
        let payment = &mut locked.payment;
        let new = rules::settle(seen.status, known, is_wholly_refunded, verdict);
        payment.outcome = new.or(known);

        let mut facts = Vec::new();
        facts.extend(money_fact(payment, new, verdict));
        facts.extend(fee_fact(payment, seen));
        if new.is_none() {
            facts.extend(progress_fact(payment, before, seen.status, order, verdict));
        }
        let outcome = locked.payment.outcome;
        facts.extend(locked.facts_of_refunds(outcome, new.is_some()));
        if let Some(order) = order {
            self.move_order(txn, order, seen.status, new).await?;
        }
        if let (Some(PaymentOutcome::Unmatched), Err(why)) = (new, verdict) {
            tracing::warn!(payment = %locked.payment.id, why = why.as_str(), "a captured payment is nobody's");
            metrics::counter!("payments_unmatched_total", "why" => why.as_str()).increment(1);
        }
        Ok(facts)
    }

    async fn move_order(
        &self,
        txn: &DatabaseTransaction,
        order: &Order,
        seen: PaymentStatus,
        new: Option<PaymentOutcome>,
    ) -> Result<(), PaymentError> {
        let now = self.ambient.now();
        if new == Some(PaymentOutcome::Credited) {
            let open = [OrderStatus::Created, OrderStatus::Attempted, OrderStatus::Expired];
            order_rows::set_status(txn, order.id, &open, OrderStatus::Paid, now).await?;
            let next_look = order_rules::next_look_after_paid(order.created_at, now);
            order_rows::set_looks(txn, order, next_look).await?;
        } else if matches!(seen, PaymentStatus::Failed | PaymentStatus::Authorized) {
            order_rows::set_status(txn, order.id, &[OrderStatus::Created], OrderStatus::Attempted, now)
                .await?;
        }
        Ok(())
    }
}

fn terms(order: &Order) -> OrderTerms {
    OrderTerms { amount: order.amount, is_paid: order.status == OrderStatus::Paid }
}

/// Tells the outcome, when it is new.
fn money_fact(
    payment: &PaymentRow,
    new: Option<PaymentOutcome>,
    verdict: Result<(), Mismatch>,
) -> Option<PaymentFact> {
    let (id, provider_payment_id) = (payment.id, payment.provider_id.clone());
    match (new?, verdict) {
        (PaymentOutcome::Credited, _) => Some(PaymentFact::Captured {
            payment: id,
            provider_payment_id,
            order: payment.order?,
            user: payment.user?,
            amount: payment.charge.inr_money()?,
        }),
        (PaymentOutcome::Unmatched, Err(why)) => Some(PaymentFact::Unmatched {
            payment: id,
            provider_payment_id,
            amount: payment.charge.inr_money(),
            why,
        }),
        _ => None,
    }
}

/// Keeps the fee when it is first known, and tells it if there is one.
fn fee_fact(payment: &mut PaymentRow, seen: &ProviderPayment) -> Option<PaymentFact> {
    let is_ours = payment.status.rank() >= PaymentStatus::Captured.rank();
    if !is_ours || payment.fee.is_some() {
        return None;
    }
    let (fee, tax) = rules::fee(&payment.charge, seen.fee, seen.tax)?;
    payment.fee = Some(fee);
    payment.tax = Some(tax);
    (fee > 0).then(|| PaymentFact::FeeKnown {
        payment: payment.id,
        provider_payment_id: payment.provider_id.clone(),
        fee: kernel::Money::inr(fee),
        tax: kernel::Money::inr(tax),
    })
}

/// Tells of a payment under way: that it failed, once; that it waits to be captured, as long as it does.
fn progress_fact(
    payment: &PaymentRow,
    before: PaymentStatus,
    seen: PaymentStatus,
    order: Option<&Order>,
    verdict: Result<(), Mismatch>,
) -> Option<PaymentFact> {
    let order = order?;
    let (user, amount) = (order.user, order.amount);
    match seen {
        PaymentStatus::Failed if before == PaymentStatus::Created => {
            Some(PaymentFact::Failed { payment: payment.id, order: order.id, user, amount })
        }
        PaymentStatus::Authorized if payment.status == seen && verdict.is_ok() => {
            Some(PaymentFact::Authorized {
                payment: payment.id,
                provider_payment_id: payment.provider_id.clone(),
                order: order.id,
                user,
                amount,
            })
        }
        _ => None,
    }
}
