//! Money that moves: orders, payments, refunds and the provider's webhooks, with the client of Razorpay.
//!
//! Invariants:
//! - Intent before call: what is asked of the provider is committed first, and no call is made inside a transaction.
//! - One [`apply_in_txn`](Payments::apply_in_txn) takes what was fetched, whoever asked for it: a check-out that came
//!   back, a webhook, a poll or a replay. A payment's rank only rises, and each fact about money comes out once.
//! - A payment is credited only if the provider says captured, in rupees, the order is ours, and the amounts are equal;
//!   every other captured payment is unmatched and goes back to where it came from.
//! - Refunds under way and done never exceed the payment, whoever asks at once. One refund is sent under one key with
//!   one body, however often, and an unknown outcome is a state, not a failure.
//! - A webhook is believed by the signature over its raw bytes and used as a hint alone: its body is not kept.
//! - Nothing of a payer (address, phone, card, VPA) is stored, logged or shown; of the instrument, the kind alone.
//!
//! What a payment means to a wallet is not known here: a flow turns each [`PaymentFact`] into journals and events.
//!
//! ```
//! use kernel::Money;
//! use payments::Charge;
//!
//! assert_eq!(Charge::inr(50_000).inr_money(), Some(Money::inr(50_000)));
//! assert_eq!(Charge { amount: 700, currency: "USD".to_owned() }.inr_money(), None);
//! ```

mod charge;
mod error;
mod names;
mod order;
mod payment;
mod providers;
mod refund;
mod signature;
mod slices;
mod webhook;

use std::fmt;
use std::sync::Arc;

use kernel::{Ambient, CursorCodec};
use secrecy::SecretString;
use store::Database;

pub use charge::Charge;
pub use error::PaymentError;
pub use order::{Order, OrderLimits, OrderStatus, OrderView};
pub use payment::{
    FetchedPayment, Mismatch, PaymentFact, PaymentFilter, PaymentOutcome, PaymentStatus, PaymentView,
    StaffPaymentView,
};
pub use providers::razorpay::{Razorpay, RazorpayConfig, RazorpayConfigError};
pub use providers::{
    NewProviderOrder, NewProviderRefund, PaymentProvider, ProviderError, ProviderOrder, ProviderPayment,
    ProviderRefund,
};
pub use refund::{
    NewRefund, Refund, RefundAnswer, RefundFilter, RefundOrigin, RefundSend, RefundSpeed, RefundState,
    RefundStatus, RefundView, StaffRefundView,
};
pub use webhook::{ClaimedWebhook, Received, WEBHOOK_JOB, WebhookTarget};

/// The provider's name in the tables.
const PROVIDER: &str = "razorpay";

/// What the facade is told besides the database.
#[derive(Clone)]
pub struct PaymentsConfig {
    /// The public half of the API key; the check-out page needs it.
    pub key_id: String,
    /// The secret half; it signs what a check-out returns.
    pub key_secret: SecretString,
    /// Signs webhooks.
    pub webhook_secret: SecretString,
    /// The one before: after a rotation, retries of older events still carry its signature.
    pub webhook_secret_previous: Option<SecretString>,
    /// Signs the cursors of lists.
    pub cursors: CursorCodec,
    /// How much one order may be for.
    pub limits: OrderLimits,
}

/// Orders, payments, refunds and webhooks. Cheap to clone.
#[derive(Clone)]
pub struct Payments {
    db: Database,
    ambient: Ambient,
    config: Arc<PaymentsConfig>,
    provider: Arc<dyn PaymentProvider>,
    intake: Arc<webhook::Intake>,
}

impl Payments {
    /// The payments of a database, through a provider.
    pub fn new(
        db: Database,
        ambient: Ambient,
        config: PaymentsConfig,
        provider: Arc<dyn PaymentProvider>,
    ) -> Self {
        Self { db, ambient, config: Arc::new(config), provider, intake: Arc::default() }
    }

    /// The public half of the API key, for the check-out page.
    pub fn key_id(&self) -> &str {
        &self.config.key_id
    }
}

impl fmt::Debug for Payments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payments")
    }
}
