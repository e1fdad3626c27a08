//! A payment that the provider knows of, and what each look at it means.

mod apply;
mod credit;
mod fetch;
pub(crate) mod locked;
mod read;
pub(crate) mod rows;
pub(crate) mod rules;
mod view;

use kernel::{HoldId, Money, PaymentId, PaymentOrderId, RefundId, UserId};

use crate::names::named;
use crate::{ProviderOrder, ProviderPayment, ProviderRefund};

pub(crate) use fetch::is_provider_id;
pub use read::PaymentFilter;
pub use view::{PaymentView, StaffPaymentView};

named! {
    /// How far a payment is; see [`rank`](Self::rank).
    pub enum PaymentStatus("a payment's status") {
        /// It was begun.
        Created = "created",
        /// It did not succeed. Up to three days later it still may (late authorisation).
        Failed = "failed",
        /// The bank has set the money aside; it is not ours before it is captured.
        Authorized = "authorized",
        /// The money is with the provider, for us.
        Captured = "captured",
        /// All of it was given back.
        Refunded = "refunded",
    }
}

named! {
    /// What became of a payment's money.
    pub enum PaymentOutcome("a payment's outcome") {
        /// It was credited to the user.
        Credited = "credited",
        /// It cannot be given to a user, and goes back.
        Unmatched = "unmatched",
        /// It went back without having been credited.
        Returned = "returned",
    }
}

/// Why a captured payment is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// It pays no order.
    NoOrder,
    /// It pays an order that is not ours.
    ForeignOrder,
    /// It is not in rupees.
    Currency,
    /// Its amount is not the order's.
    Amount,
    /// Another payment has paid the order.
    SecondCapture,
}

impl Mismatch {
    /// A word for journals, metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOrder => "no_order",
            Self::ForeignOrder => "foreign_order",
            Self::Currency => "currency",
            Self::Amount => "amount",
            Self::SecondCapture => "second_capture",
        }
    }
}

/// Everything that was fetched about a payment, to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPayment {
    /// The payment.
    pub payment: ProviderPayment,
    /// The order it pays, when its id was not known here: its receipt may be.
    pub order: Option<ProviderOrder>,
    /// Its refunds, whoever made them.
    pub refunds: Vec<ProviderRefund>,
}

/// What a look at a payment has shown, for a flow to act upon. Facts about money come out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentFact {
    /// It is to be credited, wholly: what was refunded before follows as [`Self::RefundedElsewhere`].
    Captured {
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// The order that it paid.
        order: PaymentOrderId,
        /// Whose it is.
        user: UserId,
        /// How much.
        amount: Money,
    },
    /// It waits to be captured. Told at every look until it is.
    Authorized {
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// The order that it is to pay.
        order: PaymentOrderId,
        /// Whose it is.
        user: UserId,
        /// How much is to be captured.
        amount: Money,
    },
    /// It did not succeed, so far.
    Failed {
        /// The payment.
        payment: PaymentId,
        /// The order that it was to pay.
        order: PaymentOrderId,
        /// Whose it is.
        user: UserId,
        /// How much it was for.
        amount: Money,
    },
    /// It was captured and cannot be given to anybody: it is to be returned.
    Unmatched {
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// How much; `None` when it is not in rupees, and nothing can be posted.
        amount: Option<Money>,
        /// Why.
        why: Mismatch,
    },
    /// The provider's fee is known.
    FeeKnown {
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// The fee, tax included, above zero.
        fee: Money,
        /// The tax within it.
        tax: Money,
    },
    /// A refund of ours is done.
    RefundProcessed {
        /// The refund.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// What it was held with.
        hold: HoldId,
        /// Whose money it was.
        user: UserId,
        /// How much.
        amount: Money,
    },
    /// A refund of ours will not happen; its reservation is given back.
    RefundFailed {
        /// The refund.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// What it was held with.
        hold: HoldId,
        /// Whose money it is.
        user: UserId,
        /// How much.
        amount: Money,
    },
    /// A credited payment was refunded, and not by us: in the provider's dashboard.
    RefundedElsewhere {
        /// The refund.
        refund: RefundId,
        /// Its id at the provider.
        provider_refund_id: String,
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// Whose money it was.
        user: UserId,
        /// How much.
        amount: Money,
    },
    /// An unmatched payment went back, by us or by the provider.
    Returned {
        /// The refund.
        refund: RefundId,
        /// Its id at the provider.
        provider_refund_id: String,
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// How much; `None` when it is not in rupees.
        amount: Option<Money>,
    },
    /// Somebody else's refund of an unmatched payment did not happen: what it took is to be returned by us.
    ReturnDue {
        /// The payment.
        payment: PaymentId,
    },
    /// An unmatched payment could not be returned: a person must look.
    ReturnFailed {
        /// The refund.
        refund: RefundId,
        /// The payment.
        payment: PaymentId,
        /// Its id at the provider.
        provider_payment_id: String,
        /// How much; `None` when it is not in rupees.
        amount: Option<Money>,
    },
}
