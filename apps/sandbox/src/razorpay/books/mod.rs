//! The account's books: its orders, payments and refunds, and what is to be told of them.

mod idempotency;
mod order;
mod payment;
mod progress;
mod refund;
mod shelf;

use kernel::Ambient;
use serde_json::{Map, Value, json};

use self::idempotency::Claims;

pub(super) use idempotency::Request;
pub(super) use order::{NewOrder, Order, OrderStatus};
pub use payment::Method;
pub(super) use payment::{Failure, Payment};
pub use refund::RefundEnd;
pub(super) use refund::{NewRefund, Refund, Speed};
pub(super) use shelf::{Entity, Shelf};

/// The only currency.
pub(super) const CURRENCY: &str = "INR";

/// Something that happened, with what it happened to as it was then.
pub(super) struct Fact {
    /// `payment.captured` and the like.
    pub(super) event: &'static str,
    pub(super) entities: Vec<(&'static str, Value)>,
    /// In seconds since 1970.
    pub(super) at: i64,
}

/// Everything that the account has.
pub(super) struct Books {
    ambient: Ambient,
    pub(super) orders: Shelf<Order>,
    pub(super) payments: Shelf<Payment>,
    pub(super) refunds: Shelf<Refund>,
    claims: Claims,
    facts: Vec<Fact>,
}

impl Books {
    /// Empty books.
    pub(super) fn new(ambient: Ambient) -> Self {
        Self {
            ambient,
            orders: Shelf::default(),
            payments: Shelf::default(),
            refunds: Shelf::default(),
            claims: Claims::default(),
            facts: Vec::new(),
        }
    }

    /// What has happened since it was last asked, in order.
    pub(super) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    fn tell(&mut self, event: &'static str, entities: Vec<(&'static str, Value)>) {
        let at = self.now();
        self.facts.push(Fact { event, entities, at });
    }

    fn now(&self) -> i64 {
        self.ambient.now().timestamp()
    }
}

/// Notes on the wire: a dictionary, but an empty list when there are none, as PHP has it.
fn notes_view(notes: &Map<String, Value>) -> Value {
    if notes.is_empty() { json!([]) } else { json!(notes) }
}
