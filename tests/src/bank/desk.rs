//! What people do with money over HTTP. Each call is repeated, under its `Idempotency-Key` where it has one, until the
//! gateway acknowledges it: an answer that was lost says nothing about the effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, bail};
use kernel::Money;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Engine;

use super::{PATIENCE, PAUSE, Place};
use crate::client::{Call, ClientError, Problem};
use crate::people::Person;

/// What the gateway acknowledged.
#[derive(Debug)]
pub(super) enum Answer<T> {
    /// It was done.
    Done(T),
    /// It was refused, which is final under its key.
    Refused(Problem),
}

/// What a wallet shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Wallet {
    pub(super) available: Money,
    pub(super) held: Money,
    pub(super) promo: Money,
    pub(super) earnings: Money,
    pub(super) debt: Money,
}

/// An order to pay.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) razorpay_order_id: String,
}

/// What checkout gives to the page, and the page to the marketplace.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct Checkout {
    razorpay_order_id: String,
    pub(super) razorpay_payment_id: String,
    razorpay_signature: String,
}

/// A plan that can be bought.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    pub(super) id: String,
    pub(super) price: Money,
}

/// A boost that was bought.
#[derive(Debug, Deserialize)]
pub(super) struct Boosted {
    pub(super) boost: Named,
}

/// Whatever has an id.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// A refund.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) provider_refund_id: Option<String>,
}

/// A page.
#[derive(Deserialize)]
pub(super) struct Listed<T> {
    pub(super) data: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    id: String,
    provider_payment_id: String,
}

/// The counter at which money is handed over. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(super) place: Place,
    repeats: Arc<AtomicU64>,
}

impl Desk {
    /// A desk at this place.
    pub fn new(place: Place) -> Self {
        Self { place, repeats: Arc::default() }
    }

    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        self.place.db.engine()
    }

    /// How many calls were not acknowledged and made again.
    pub fn repeats(&self) -> u64 {
        self.repeats.load(Ordering::Relaxed)
    }

    /// The plans that can be bought.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn plans(&self) -> anyhow::Result<Vec<Plan>> {
        let plans: Listed<Plan> = self.done(|| self.place.gateway.get("/api/boost-plans")).await?;
        Ok(plans.data)
    }

    pub(super) async fn order(&self, who: &Person, key: &str, paise: i64) -> anyhow::Result<Order> {
        let body = json!({ "amount": paise });
        self.done(|| self.post(who, "/api/payments/order").keyed(key).json(&body)).await
    }

    /// The payer pays in Razorpay's checkout, which is always there.
    pub(super) async fn pay(&self, order: &Order, pay: &Value) -> anyhow::Result<Checkout> {
        let path = format!("/control/orders/{}/pay", order.razorpay_order_id);
        Ok(self.place.sandbox.post(path).json(pay).send().await?)
    }

    pub(super) async fn verify(&self, who: &Person, checkout: &Checkout) -> anyhow::Result<Wallet> {
        self.done(|| self.post(who, "/api/payments/verify").json(checkout)).await
    }

    pub(super) async fn wallet(&self, who: &Person) -> anyhow::Result<Wallet> {
        self.done(|| self.place.gateway.get("/api/wallet").bearer(&who.access)).await
    }

    /// The marketplace's id of a payment among the latest hundred.
    pub(super) async fn payment(&self, who: &Person, provider_payment_id: &str) -> anyhow::Result<String> {
        let call = || self.place.gateway.get("/api/payments").query(&[("limit", "100")]).bearer(&who.access);
        let payments: Listed<Payment> = self.done(call).await?;
        let payment = payments.data.into_iter().find(|one| one.provider_payment_id == provider_payment_id);
        Ok(payment.context("a payment that was credited is not in its user's list")?.id)
    }

    pub(super) async fn boost(
        &self,
        who: &Person,
        key: &str,
        listing: &str,
        plan: &Plan,
    ) -> anyhow::Result<Answer<Boosted>> {
        let (path, body) = (format!("/api/listings/{listing}/boost"), json!({ "planId": plan.id }));
        self.answer(|| self.post(who, &path).keyed(key).json(&body)).await
    }

    pub(super) async fn refund(
        &self,
        staff: &Person,
        key: &str,
        payment: &str,
        paise: i64,
    ) -> anyhow::Result<Answer<Refund>> {
        let body = json!({ "paymentId": payment, "amount": paise, "reason": "asked for by the payer" });
        self.answer(|| self.post(staff, "/api/payments/refund").keyed(key).json(&body)).await
    }

    /// The bank refuses a refund that is pending; tells whether it was not too late for that.
    pub(super) async fn fail_refund(&self, provider_refund_id: &str) -> anyhow::Result<bool> {
        let path = format!("/control/refunds/{provider_refund_id}");
        match self.place.sandbox.post(path).json(&json!({ "status": "failed" })).done().await {
            Ok(()) => Ok(true),
            Err(ClientError::Refused { .. } | ClientError::Unexpected { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn post(&self, who: &Person, path: &str) -> Call {
        self.place.gateway.post(path).bearer(&who.access)
    }

    /// An acknowledgement of what cannot be refused.
    async fn done<T: DeserializeOwned>(&self, call: impl Fn() -> Call) -> anyhow::Result<T> {
        match self.answer(call).await? {
            Answer::Done(done) => Ok(done),
            Answer::Refused(problem) => bail!("refused: {problem}"),
        }
    }

    async fn answer<T: DeserializeOwned>(&self, call: impl Fn() -> Call) -> anyhow::Result<Answer<T>> {
        let began = Instant::now();
        loop {
            let unanswered = match call().send().await {
                Ok(done) => return Ok(Answer::Done(done)),
                Err(ClientError::Refused { problem, .. }) if is_final(&problem) => {
                    return Ok(Answer::Refused(*problem));
                }
                Err(error @ (ClientError::Unreachable { .. } | ClientError::Refused { .. })) => error,
                Err(error) => return Err(error.into()),
            };
            if began.elapsed() > PATIENCE {
                return Err(anyhow::Error::new(unanswered).context("not acknowledged in time"));
            }
            self.repeats.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether a refusal says something about the request, and not about the moment. An internal error is a finding.
fn is_final(problem: &Problem) -> bool {
    let passes = ["idempotency_key_in_progress", "step_up_required"];
    !matches!(problem.status, 429 | 502..=504) && !passes.contains(&problem.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_for_the_moment_is_repeated() {
        let problem = |status: u16, code: &str| Problem {
            status,
            code: code.to_owned(),
            detail: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            retry_after: None,
        };
        assert!(!is_final(&problem(503, "database_unavailable")));
        assert!(!is_final(&problem(409, "idempotency_key_in_progress")));
        assert!(is_final(&problem(409, "insufficient_funds")));
        assert!(is_final(&problem(500, "internal")));
    }
}
