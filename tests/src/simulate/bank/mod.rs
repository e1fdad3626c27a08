//! The model of the payment provider: what it knows of orders, payments and refunds, and how it fails.
//!
//! It runs in process. Each call may be refused, never arrive, act and lose its answer, or stay open while others go
//! on; the truth stays here, and the books are held against it.

mod fault;
mod payer;
mod port;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::{PaymentStatus, ProviderPayment, RefundState};
use store::Database;

use crate::dice::Dice;

pub(super) use fault::{Answer, Call, Verb};
pub(super) use payer::Charged;
pub(super) use webhooks::{Delivery, KEY_SECRET, WEBHOOK_SECRET, checkout_signature};

use super::Sabotage;

/// An order.
#[derive(Debug, Clone)]
pub(super) struct BankOrder {
    pub(super) id: String,
    pub(super) amount: i64,
    /// `None` when another shop made it.
    pub(super) receipt: Option<String>,
}

/// A payment.
#[derive(Debug, Clone)]
pub(super) struct BankPayment {
    pub(super) id: String,
    pub(super) order: Option<String>,
    pub(super) amount: i64,
    pub(super) currency: &'static str,
    pub(super) status: PaymentStatus,
    /// The money was ours once, whatever came after.
    pub(super) was_captured: bool,
    pub(super) fee: Option<(i64, i64)>,
}

/// A refund.
#[derive(Debug, Clone)]
pub(super) struct BankRefund {
    pub(super) id: String,
    pub(super) payment: String,
    pub(super) amount: i64,
    pub(super) state: RefundState,
    /// `None` when it was made in the dashboard.
    pub(super) receipt: Option<String>,
    /// The key of the call that made it.
    key: Option<String>,
}

/// Everything that the provider knows.
#[derive(Debug)]
pub(super) struct Vault {
    pub(super) orders: BTreeMap<String, BankOrder>,
    pub(super) payments: BTreeMap<String, BankPayment>,
    pub(super) refunds: BTreeMap<String, BankRefund>,
    /// Webhooks that wait to be delivered.
    pub(super) post: Vec<Delivery>,
    /// Webhooks that got lost.
    pub(super) lost: Vec<Delivery>,
    /// The calls of the flow that runs now, with their answers.
    pub(super) calls: Vec<Call>,
    /// Calls that were made inside a database transaction, which none may be.
    pub(super) within_transactions: u64,
    /// Whether calls fail.
    pub(super) is_moody: bool,
    /// Whether a call may stay open.
    pub(super) may_park: bool,
    /// A call has stayed open: the flow waits for its answer.
    is_parked: bool,
    sabotage: Option<Sabotage>,
    /// Whether a payment counts as refunded while the refund of all of it is under way: nothing documents it.
    tells_early: bool,
    dice: Dice,
    made: u64,
}

/// The provider.
#[derive(Debug)]
pub(super) struct Bank {
    vault: Mutex<Vault>,
    db: Database,
}

impl Bank {
    /// A provider that knows nothing yet. `db` is asked whether a call comes from inside a transaction.
    pub(super) fn new(seed: u64, db: Database, sabotage: Option<Sabotage>) -> Self {
        let vault = Vault {
            orders: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunds: BTreeMap::new(),
            post: Vec::new(),
            lost: Vec::new(),
            calls: Vec::new(),
            within_transactions: 0,
            is_moody: true,
            may_park: false,
            is_parked: false,
            sabotage,
            tells_early: Dice::new(seed).below(2) == 0,
            dice: Dice::new(seed),
            made: 0,
        };
        Self { vault: Mutex::new(vault), db }
    }

    /// What it knows, locked.
    pub(super) fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a call has stayed open since it was last asked.
    pub(super) fn take_parked(&self) -> bool {
        std::mem::take(&mut self.vault().is_parked)
    }
}

impl Vault {
    /// A fresh id of the provider's form.
    fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{:014}", self.made)
    }

    /// How much of a payment its refunds have taken, those under way included.
    pub(super) fn refunded(&self, payment: &str) -> i64 {
        let counts = |refund: &&BankRefund| refund.payment == payment && refund.state != RefundState::Failed;
        self.refunds.values().filter(counts).map(|refund| refund.amount).sum()
    }

    /// How much of a payment is back with the payer.
    pub(super) fn given_back(&self, payment: &str) -> i64 {
        let counts =
            |refund: &&BankRefund| refund.payment == payment && refund.state == RefundState::Processed;
        self.refunds.values().filter(counts).map(|refund| refund.amount).sum()
    }

    /// The refund that was made under a receipt.
    pub(super) fn refund_of(&self, receipt: &str) -> Option<&BankRefund> {
        self.refunds.values().find(|refund| refund.receipt.as_deref() == Some(receipt))
    }

    /// The orders that were made under a receipt.
    pub(super) fn orders_of(&self, receipt: &str) -> Vec<&BankOrder> {
        self.orders.values().filter(|order| order.receipt.as_deref() == Some(receipt)).collect()
    }

    /// The receipt of the order that a payment pays.
    pub(super) fn receipt_paid_by(&self, payment: &BankPayment) -> Option<&str> {
        self.orders.get(payment.order.as_ref()?)?.receipt.as_deref()
    }

    /// A payment as it is told to those who ask.
    fn told(&self, payment: &BankPayment) -> ProviderPayment {
        let is_taken =
            payment.status == PaymentStatus::Captured && self.refunded(&payment.id) >= payment.amount;
        let lies = self.sabotage == Some(Sabotage::LyingProvider) && payment.status == PaymentStatus::Failed;
        ProviderPayment {
            id: payment.id.clone(),
            order_id: payment.order.clone(),
            charge: payments::Charge { amount: payment.amount, currency: payment.currency.to_owned() },
            status: match payment.status {
                _ if lies => PaymentStatus::Captured,
                PaymentStatus::Captured if is_taken && self.tells_early => PaymentStatus::Refunded,
                status => status,
            },
            method: Some("upi".to_owned()),
            amount_refunded: self.refunded(&payment.id),
            fee: payment.fee.map(|(fee, _)| fee),
            tax: payment.fee.map(|(_, tax)| tax),
        }
    }
}
