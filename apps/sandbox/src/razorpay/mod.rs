//! Razorpay's payment gateway, for one account in test mode: orders, payments, capture and refunds at its own paths,
//! a page to pay on, and signed webhooks.
//!
//! It is as strict as razorpay.com/docs/api says the real one is: fields that a call does not have are refused, a
//! receipt has 40 characters at most, the amount of a capture is the authorised one, no more is refunded than was
//! captured. The quirks are played too: notes are `[]` when there are none, `fee` includes `tax`, a failed payment
//! may be captured late, `refund.created` may come with a refund that is processed already, an unknown path is a 400.
//! Where the documents are silent: the amount of a failed refund can be refunded again.
//!
//! What was received is carried out even if the caller hangs up before the answer.

mod api;
mod auth;
mod books;
mod config;
mod control;
mod desk;
mod error;
mod id;
mod pay_page;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Ambient;
use tokio_util::sync::CancellationToken;

use self::auth::Key;
use self::books::{Books, NewRefund};
use self::error::ApiError;
use self::webhooks::Webhooks;
use crate::background::Background;

pub(crate) use api::scope;
pub use books::{Method, RefundEnd};
pub use config::RazorpayConfig;
pub(crate) use control::routes as control_routes;
pub use desk::{Checkout, OutsidePayment, Pay, PayOutcome, RazorpayDesk};
pub(crate) use pay_page::resource as pay_page;
pub use webhooks::WebhookBehaviour;

/// The one account, with all that it has.
pub(crate) struct Razorpay {
    key: Key,
    refund_delay: Duration,
    unique_receipts: bool,
    books: Mutex<Books>,
    webhooks: Arc<Webhooks>,
    background: Background,
}

impl Razorpay {
    /// An account without orders. To be called inside the runtime that its webhooks are to be sent from.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(
        config: &RazorpayConfig,
        ambient: &Ambient,
        stopping: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let deliveries = Background::new(stopping.clone());
        Ok(Self {
            key: Key::new(config),
            refund_delay: config.refund_delay,
            unique_receipts: config.unique_receipts,
            books: Mutex::new(Books::new(ambient.clone())),
            webhooks: Arc::new(Webhooks::new(config, ambient.clone(), deliveries)?),
            background: Background::new(stopping.clone()),
        })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the books and tells the webhook what happened, unless nobody is to be told.
    fn change<T>(
        &self,
        tell: bool,
        work: impl FnOnce(&mut Books) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut books = self.books();
        let done = work(&mut books);
        for fact in books.take_facts() {
            self.webhooks.publish(fact, tell);
        }
        done
    }

    /// Makes a refund; one at normal speed is processed after the delay. Gives its id.
    fn refund(self: &Arc<Self>, payment_id: &str, terms: NewRefund) -> Result<String, ApiError> {
        let at_once = self.refund_delay.is_zero();
        let refund_id = self.change(true, |books| books.refund(payment_id, terms, at_once))?;
        self.process_later(&refund_id);
        Ok(refund_id)
    }

    fn process_later(self: &Arc<Self>, refund_id: &str) {
        let (razorpay, refund_id) = (Arc::clone(self), refund_id.to_owned());
        drop(self.background.spawn(async move {
            tokio::time::sleep(razorpay.refund_delay).await;
            // It may have ended otherwise by now.
            drop(razorpay.change(true, |books| books.finish_refund(&refund_id, RefundEnd::Processed)));
        }));
    }

    /// A bank that was silent answers after a while.
    fn settle_later(self: &Arc<Self>, payment_id: &str, wait: Duration, tell: bool) {
        let (razorpay, payment_id) = (Arc::clone(self), payment_id.to_owned());
        drop(self.background.spawn(async move {
            tokio::time::sleep(wait).await;
            // It may have been settled by hand.
            drop(razorpay.settle(&payment_id, tell));
        }));
    }

    /// The bank answers: see [`Books::settle`].
    fn settle(self: &Arc<Self>, payment_id: &str, tell: bool) -> Result<serde_json::Value, ApiError> {
        let view = self.change(tell, |books| books.settle(payment_id))?;
        let refunds = self.books().payments.find(payment_id)?.refunds().to_vec();
        refunds.iter().for_each(|refund_id| self.process_later(refund_id));
        Ok(view)
    }
}
