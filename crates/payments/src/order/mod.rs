//! A top-up that somebody wants to pay: intended here first, then made at the provider.

mod due;
mod note;
mod open;
mod place;
mod read;
pub(crate) mod rows;
pub(crate) mod rules;

use chrono::{DateTime, Utc};
use kernel::{Money, PaymentOrderId, UserId};
use serde::Serialize;

use crate::names::named;

pub use rules::OrderLimits;

named! {
    /// How far an order is.
    pub enum OrderStatus("an order's status") {
        /// Intended; the provider has not confirmed it.
        Creating = "creating",
        /// It can be paid.
        Created = "created",
        /// A payment was tried and has not succeeded.
        Attempted = "attempted",
        /// A payment was credited.
        Paid = "paid",
        /// Nobody paid it while it was watched. A payment that comes later still counts.
        Expired = "expired",
        /// The provider never made it.
        Failed = "failed",
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: PaymentOrderId,
    /// Whose it is.
    pub user: UserId,
    /// How much is to be paid.
    pub amount: Money,
    /// What the provider knows it by, unique, at most 40 characters.
    pub receipt: String,
    /// Its id at the provider, once it was made there.
    pub provider_order_id: Option<String>,
    /// How far it is.
    pub status: OrderStatus,
    /// Rises with every change.
    pub version: i64,
    /// How many looks after it were taken.
    pub(crate) polls: i32,
    /// How many looks in a row, to the last, gave no answer.
    pub(crate) failed_looks: i32,
    /// When it was intended.
    pub created_at: DateTime<Utc>,
}

/// An order as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Its id.
    pub id: PaymentOrderId,
    /// Its id at Razorpay, which the check-out page needs; null until it was made there.
    #[schema(example = "order_NqGAfNcMSK3FiC")]
    pub provider_order_id: Option<String>,
    /// How much is to be paid.
    pub amount: Money,
    /// How far it is.
    #[schema(example = "CREATED")]
    pub status: OrderStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Order {
    /// The order as its owner sees it.
    pub fn view(&self) -> OrderView {
        OrderView {
            id: self.id,
            provider_order_id: self.provider_order_id.clone(),
            amount: self.amount,
            status: self.status,
            created_at: self.created_at,
        }
    }
}
