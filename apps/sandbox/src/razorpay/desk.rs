//! What a person does with the account: pays its orders, answers for the banks, works on the dashboard. Tests use it
//! in-process, programs through `/control`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::Razorpay;
use super::books::{Entity, Failure, Method, NewRefund, RefundEnd};
use super::config::parse_webhook_url;
use super::error::ApiError;
use super::webhooks::WebhookBehaviour;

/// What becomes of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayOutcome {
    /// It is authorised, and captured if the order asks for that.
    Success,
    /// It is authorised and waits to be captured, whatever the order asks for.
    Authorized,
    /// It fails.
    Failure,
    /// It fails, and is captured later after all.
    Late,
}

/// How an order is paid.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pay {
    /// What becomes of it.
    pub outcome: PayOutcome,
    /// How it is paid.
    #[serde(default)]
    pub method: Method,
    /// What is paid in paise, if not what the order says: nothing that the real checkout lets happen.
    #[serde(default)]
    pub amount: Option<i64>,
    /// After how many milliseconds a late payment is captured; else when told.
    #[serde(default)]
    pub settle_after_ms: Option<u64>,
    /// Whether webhooks tell of it.
    #[serde(default = "yes")]
    pub webhooks: bool,
}

fn yes() -> bool {
    true
}

impl Pay {
    /// Pays by UPI with this outcome.
    pub fn with(outcome: PayOutcome) -> Self {
        Self { outcome, method: Method::Upi, amount: None, settle_after_ms: None, webhooks: true }
    }

    /// Pays by UPI, successfully.
    pub fn success() -> Self {
        Self::with(PayOutcome::Success)
    }

    /// The same, but no webhook tells of it.
    #[must_use]
    pub fn without_webhooks(self) -> Self {
        Self { webhooks: false, ..self }
    }
}

/// What checkout hands to the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The order.
    pub order_id: String,
    /// The payment, whether it succeeded or failed.
    pub payment_id: String,
    /// What proves that it succeeded; a failed one has none.
    pub signature: Option<String>,
}

impl Checkout {
    /// As checkout gives it: the three fields to verify, or an error.
    pub(super) fn view(&self, failure: Failure) -> Value {
        match &self.signature {
            Some(signature) => json!({
                "razorpay_order_id": self.order_id,
                "razorpay_payment_id": self.payment_id,
                "razorpay_signature": signature,
            }),
            None => json!({"error": {
                "code": Failure::CODE,
                "description": failure.description,
                "source": Failure::SOURCE,
                "step": Failure::STEP,
                "reason": failure.reason,
                "metadata": {"payment_id": self.payment_id, "order_id": self.order_id},
            }}),
        }
    }
}

/// A payment that nobody made through the checkout of an order of ours.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutsidePayment {
    /// In paise.
    pub amount: i64,
    /// The order it claims to be for.
    #[serde(default)]
    pub order_id: Option<String>,
    /// How it was paid.
    #[serde(default)]
    pub method: Method,
    /// Whether it is captured, or waits to be.
    #[serde(default = "yes")]
    pub captured: bool,
    /// Whether webhooks tell of it.
    #[serde(default = "yes")]
    pub webhooks: bool,
}

impl Razorpay {
    /// Pays an order. Unlike the real checkout it pays one that is paid already, which makes a second capture.
    pub(super) fn pay(self: &Arc<Self>, order_id: &str, pay: &Pay) -> Result<Checkout, ApiError> {
        let payment_id = self.change(pay.webhooks, |books| {
            let captures = books.orders.find(order_id)?.terms.captures;
            let id = books.begin_payment(Some(order_id), pay.amount, pay.method)?;
            match pay.outcome {
                PayOutcome::Success | PayOutcome::Authorized => books.authorize(&id)?,
                PayOutcome::Failure | PayOutcome::Late => books.fail(&id, failure(pay.outcome))?,
            }
            if pay.outcome == PayOutcome::Success && captures {
                books.take(&id)?;
            }
            Ok(id)
        })?;
        if let (PayOutcome::Late, Some(millis)) = (pay.outcome, pay.settle_after_ms) {
            self.settle_later(&payment_id, Duration::from_millis(millis), pay.webhooks);
        }
        let is_made = matches!(pay.outcome, PayOutcome::Success | PayOutcome::Authorized);
        let signature = is_made.then(|| self.key.sign_checkout(order_id, &payment_id));
        Ok(Checkout { order_id: order_id.to_owned(), payment_id, signature })
    }

    pub(super) fn pay_outside(&self, payment: &OutsidePayment) -> Result<Value, ApiError> {
        self.change(payment.webhooks, |books| {
            let order_id = payment.order_id.as_deref();
            let id = books.begin_payment(order_id, Some(payment.amount), payment.method)?;
            books.authorize(&id)?;
            if payment.captured {
                books.take(&id)?;
            }
            Ok(books.payments.find(&id)?.view())
        })
    }

    pub(super) fn refund_from_dashboard(
        self: &Arc<Self>,
        payment_id: &str,
        amount: Option<i64>,
    ) -> Result<Value, ApiError> {
        let id = self.refund(payment_id, NewRefund { amount, ..NewRefund::of_everything() })?;
        Ok(self.books().refunds.find(&id)?.view())
    }

    pub(super) fn finish_refund(&self, refund_id: &str, end: RefundEnd) -> Result<Value, ApiError> {
        self.change(true, |books| books.finish_refund(refund_id, end))
    }
}

/// What checkout says of a payment that fails.
pub(super) fn failure(outcome: PayOutcome) -> Failure {
    if outcome == PayOutcome::Late { Failure::TIMED_OUT } else { Failure::CANCELLED }
}

/// A running sandbox's Razorpay account, for tests in the same process.
#[derive(Clone)]
pub struct RazorpayDesk(Arc<Razorpay>);

impl RazorpayDesk {
    pub(crate) fn new(razorpay: &Arc<Razorpay>) -> Self {
        Self(Arc::clone(razorpay))
    }

    /// Pays an order.
    ///
    /// # Errors
    /// When there is no such order.
    pub fn pay(&self, order_id: &str, pay: &Pay) -> anyhow::Result<Checkout> {
        Ok(self.0.pay(order_id, pay)?)
    }

    /// Makes a payment outside of our orders' checkout, and gives it as the API does.
    ///
    /// # Errors
    /// When the order that it claims to be for is none, or the amount is less than a paisa.
    pub fn pay_outside(&self, payment: &OutsidePayment) -> anyhow::Result<Value> {
        Ok(self.0.pay_outside(payment)?)
    }

    /// Captures a payment that failed or is authorised; if its order is paid already, its money goes back.
    ///
    /// # Errors
    /// When there is no such payment, or it is neither failed nor authorised.
    pub fn settle(&self, payment_id: &str) -> anyhow::Result<Value> {
        Ok(self.0.settle(payment_id, true)?)
    }

    /// Refunds so many paise, or all that is left, from the dashboard, and gives the refund as the API does.
    ///
    /// # Errors
    /// When the payment is not captured, or so much is not left.
    pub fn refund_from_dashboard(&self, payment_id: &str, amount: Option<i64>) -> anyhow::Result<Value> {
        Ok(self.0.refund_from_dashboard(payment_id, amount)?)
    }

    /// Ends a pending refund.
    ///
    /// # Errors
    /// When there is no such refund, or it has ended already.
    pub fn finish_refund(&self, refund_id: &str, end: RefundEnd) -> anyhow::Result<Value> {
        Ok(self.0.finish_refund(refund_id, end)?)
    }

    /// Sends webhooks there from now on.
    ///
    /// # Errors
    /// When it is not an http address of the loopback interface.
    pub fn webhooks_to(&self, url: &str) -> anyhow::Result<()> {
        self.0.webhooks.send_to(parse_webhook_url(url)?);
        Ok(())
    }

    /// Changes how the webhooks of what happens from now on misbehave.
    pub fn behave(&self, behaviour: WebhookBehaviour) {
        self.0.webhooks.behave(behaviour);
    }

    /// Sends an event once more.
    ///
    /// # Errors
    /// When there is no such event on record.
    pub fn replay(&self, event_id: &str) -> anyhow::Result<()> {
        if self.0.webhooks.replay(event_id) { Ok(()) } else { Err(anyhow!("there is no event {event_id}")) }
    }

    /// The events on record, the oldest first, as `GET /control/webhooks` shows them.
    pub fn webhooks(&self) -> Vec<Value> {
        self.0.webhooks.views()
    }

    /// Waits until every webhook was taken or given up.
    pub async fn webhooks_sent(&self) {
        self.0.webhooks.sent().await;
    }

    /// All orders as the API shows them, the newest first.
    pub fn orders(&self) -> Vec<Value> {
        self.0.books().orders.newest_first().map(Entity::view).collect()
    }

    /// All payments as the API shows them, the newest first.
    pub fn payments(&self) -> Vec<Value> {
        self.0.books().payments.newest_first().map(Entity::view).collect()
    }

    /// All refunds as the API shows them, the newest first.
    pub fn refunds(&self) -> Vec<Value> {
        self.0.books().refunds.newest_first().map(Entity::view).collect()
    }
}
