//! What a look at a payment means: each fact that payments found becomes journals, holds that end, and events, in the
//! transaction that found it.

use kernel::{Actor, JournalId, Money, PaymentId, RefundId, UserId};
use ledger::{NewJournal, Outcome, templates};
use payments::PaymentFact;
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};

use crate::{FlowError, Marketplace};

/// In whose name the provider's facts are posted.
const ACTOR: Actor = Actor::System("payments");

/// What is to be asked of the provider once the transaction has committed.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The payment waits to be captured.
    pub(super) capture: Option<Money>,
    /// Refunds that were intended, of money that is nobody's.
    pub(super) returns: Vec<RefundId>,
}

/// A wallet that was touched: why, and by which journal last.
struct Touched {
    user: UserId,
    reason: &'static str,
    journal: JournalId,
}

impl Marketplace {
    /// Posts what the facts mean. Each comes once, in the transaction that applied what was fetched.
    pub(super) async fn settle_in_txn(
        &self,
        txn: &DatabaseTransaction,
        facts: &[PaymentFact],
    ) -> Result<Following, FlowError> {
        let mut following = Following::default();
        let mut touched = None;
        for fact in facts {
            match fact {
                PaymentFact::Authorized { amount, .. } => following.capture = Some(*amount),
                PaymentFact::Unmatched { payment, provider_payment_id, amount, why } => {
                    if let Some(amount) = amount {
                        let journal = templates::unmatched(provider_payment_id, *amount)?;
                        self.post_fact(txn, journal.because(why.as_str())).await?;
                    }
                    following.returns.extend(self.returned_in_txn(txn, *payment).await?);
                }
                PaymentFact::ReturnDue { payment } => {
                    following.returns.extend(self.returned_in_txn(txn, *payment).await?);
                }
                other => touched = self.settle_one(txn, other).await?.or(touched),
            }
        }
        if let Some(Touched { user, reason, journal }) = touched {
            // Whatever came back into the wallet pays what the user owes first.
            let recovered = self.ledger.recover_debt_in_txn(txn, user, &journal.to_string()).await?;
            self.wallet_changed_in_txn(txn, user, reason, recovered.unwrap_or(journal)).await?;
        }
        Ok(following)
    }

    /// Intends to send back what is left of a payment that is nobody's; nothing is left when all is on its way.
    async fn returned_in_txn(
        &self,
        txn: &DatabaseTransaction,
        payment: PaymentId,
    ) -> Result<Option<RefundId>, FlowError> {
        Ok(self.payments.request_return_in_txn(txn, payment).await?.map(|refund| refund.id))
    }

    async fn settle_one(
        &self,
        txn: &DatabaseTransaction,
        fact: &PaymentFact,
    ) -> Result<Option<Touched>, FlowError> {
        match fact {
            PaymentFact::Captured { payment, provider_payment_id, order, user, amount } => {
                let top_up = templates::top_up(provider_payment_id, *user, *amount)?;
                let journal = self.post_fact(txn, top_up).await?;
                self.payments.note_credited_in_txn(txn, *payment, journal).await?;
                let payload = json!({ "payment": payment, "order": order, "amount": amount });
                self.tell_user_in_txn(txn, *user, "payment.captured", payload).await?;
                Ok(Some(Touched { user: *user, reason: "top_up", journal }))
            }
            PaymentFact::Failed { payment, order, user, amount } => {
                let payload = json!({ "payment": payment, "order": order, "amount": amount });
                self.tell_user_in_txn(txn, *user, "payment.failed", payload).await?;
                Ok(None)
            }
            PaymentFact::FeeKnown { provider_payment_id, fee, tax, .. } => {
                self.post_fact(txn, templates::gateway_fee(provider_payment_id, *fee, *tax)?).await?;
                Ok(None)
            }
            PaymentFact::Returned { provider_refund_id, amount: Some(amount), .. } => {
                self.post_fact(txn, templates::unmatched_return(provider_refund_id, *amount)?).await?;
                Ok(None)
            }
            PaymentFact::ReturnFailed { refund, payment, .. } => {
                if self.payments.plan_return_in_txn(txn, *payment).await? {
                    tracing::warn!(%payment, %refund, "money that is nobody's could not be returned yet");
                } else {
                    metrics::counter!("payment_returns_failed_total").increment(1);
                    tracing::error!(%payment, %refund, "money that is nobody's could not be returned: look at it");
                }
                Ok(None)
            }
            other => self.settle_refund(txn, other).await,
        }
    }

    async fn settle_refund(
        &self,
        txn: &DatabaseTransaction,
        fact: &PaymentFact,
    ) -> Result<Option<Touched>, FlowError> {
        let (user, reason, journal) = match fact {
            PaymentFact::RefundProcessed { refund, payment, hold, user, amount } => {
                let done = templates::refund_done(*refund, *user, *amount)?.by(&ACTOR);
                let outcome = self.ledger.capture_hold_in_txn(txn, *hold, &done).await?;
                let payload = refunded(*payment, *refund, *amount);
                self.tell_user_in_txn(txn, *user, "wallet.refunded", payload).await?;
                (*user, "refund", posted(outcome)?)
            }
            PaymentFact::RefundFailed { refund, payment, hold, user, amount } => {
                let key = templates::refund_release_key(*refund);
                let outcome = self.ledger.release_hold_in_txn(txn, *hold, &key).await?;
                let payload = refunded(*payment, *refund, *amount);
                self.tell_user_in_txn(txn, *user, "wallet.refund_failed", payload).await?;
                (*user, "refund_failed", posted(outcome)?)
            }
            PaymentFact::RefundedElsewhere { refund, provider_refund_id, payment, user, amount, .. } => {
                let wallet = self.ledger.lock_wallet_in_txn(txn, *user).await?;
                let elsewhere = templates::refund_elsewhere(provider_refund_id, *user, &wallet, *amount)?;
                let journal = self.post_fact(txn, elsewhere).await?;
                let payload = refunded(*payment, *refund, *amount);
                self.tell_user_in_txn(txn, *user, "wallet.refunded", payload).await?;
                (*user, "refund", journal)
            }
            _ => return Ok(None),
        };
        Ok(Some(Touched { user, reason, journal }))
    }

    async fn post_fact(
        &self,
        txn: &DatabaseTransaction,
        journal: NewJournal,
    ) -> Result<JournalId, FlowError> {
        posted(self.ledger.post_in_txn(txn, &journal.by(&ACTOR)).await?)
    }
}

fn refunded(payment: PaymentId, refund: RefundId, amount: Money) -> Json {
    json!({ "payment": payment, "refund": refund, "amount": amount })
}

/// The journal of a fact, which no wallet may refuse: it has happened.
fn posted(outcome: Outcome) -> Result<JournalId, FlowError> {
    match outcome {
        Outcome::Posted(journal) | Outcome::Known(journal) => Ok(journal),
        Outcome::Refused(refusal) => Err(FlowError::Refused(refusal)),
    }
}
