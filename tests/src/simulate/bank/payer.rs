//! What happens at the provider without us: people pay, banks answer late, somebody refunds in the dashboard.

use payments::{PaymentStatus, RefundState};

use super::{BankOrder, BankPayment, BankRefund, Vault};

/// What somebody is charged.
#[derive(Debug, Clone)]
pub(in crate::simulate) struct Charged {
    /// The order, if the payment names one.
    pub(in crate::simulate) order: Option<String>,
    /// Minor units.
    pub(in crate::simulate) amount: i64,
    /// ISO 4217 code.
    pub(in crate::simulate) currency: &'static str,
    /// How the bank answers at first.
    pub(in crate::simulate) status: PaymentStatus,
}

impl Vault {
    /// Somebody pays.
    pub(in crate::simulate) fn pay(&mut self, charged: Charged) -> String {
        let id = self.new_id("pay");
        let payment = BankPayment {
            id: id.clone(),
            order: charged.order,
            amount: charged.amount,
            currency: charged.currency,
            status: PaymentStatus::Created,
            was_captured: false,
            fee: None,
        };
        self.payments.insert(id.clone(), payment);
        match charged.status {
            PaymentStatus::Captured => self.capture(&id),
            other => self.set_status(&id, other),
        }
        id
    }

    /// Another shop's order.
    pub(in crate::simulate) fn foreign_order(&mut self, amount: i64) -> String {
        let id = self.new_id("order");
        self.orders.insert(id.clone(), BankOrder { id: id.clone(), amount, receipt: None });
        id
    }

    /// The money of a payment is taken: the fee is two percent and eighteen percent of tax on it.
    pub(in crate::simulate) fn capture(&mut self, id: &str) {
        if let Some(payment) = self.payments.get_mut(id) {
            let own = payment.amount / 50;
            let tax = own * 18 / 100;
            payment.fee = Some((own + tax, tax));
            payment.was_captured = true;
        }
        self.set_status(id, PaymentStatus::Captured);
        let order = self.payments.get(id).and_then(|payment| payment.order.clone());
        if let Some(order) = order {
            self.tell("order.paid", Some(&order), id, None);
        }
    }

    /// The bank or the provider moves a payment.
    pub(in crate::simulate) fn set_status(&mut self, id: &str, status: PaymentStatus) {
        if let Some(payment) = self.payments.get_mut(id) {
            payment.status = status;
            self.tell(event_of(status), None, id, None);
        }
    }

    /// The provider gives back what was authorised and not captured.
    pub(in crate::simulate) fn give_up(&mut self, id: &str) {
        let Some(amount) = self.payments.get(id).map(|payment| payment.amount) else { return };
        self.add_refund(id, amount, RefundState::Processed, None, None);
    }

    /// Somebody refunds in the dashboard.
    pub(in crate::simulate) fn refund_in_dashboard(&mut self, id: &str, amount: i64, state: RefundState) {
        self.add_refund(id, amount, state, None, None);
    }

    /// A refund that was under way ends.
    pub(in crate::simulate) fn finish_refund(&mut self, id: &str, state: RefundState) {
        let Some(refund) = self.refunds.get_mut(id).filter(|refund| refund.state == RefundState::Pending)
        else {
            return;
        };
        refund.state = state;
        let payment = refund.payment.clone();
        self.note_refunded(&payment);
        let name = if state == RefundState::Processed { "refund.processed" } else { "refund.failed" };
        self.tell(name, None, &payment, Some(id));
    }

    pub(super) fn add_refund(
        &mut self,
        payment: &str,
        amount: i64,
        state: RefundState,
        receipt: Option<String>,
        key: Option<String>,
    ) -> String {
        let id = self.new_id("rfnd");
        let refund = BankRefund { id: id.clone(), payment: payment.to_owned(), amount, state, receipt, key };
        self.refunds.insert(id.clone(), refund);
        self.note_refunded(payment);
        self.tell("refund.created", None, payment, Some(&id));
        if state == RefundState::Processed {
            self.tell("refund.processed", None, payment, Some(&id));
        }
        id
    }

    /// A payment of which all is back counts as refunded.
    fn note_refunded(&mut self, id: &str) {
        let back = self.given_back(id);
        if let Some(payment) = self.payments.get_mut(id).filter(|payment| back >= payment.amount) {
            payment.status = PaymentStatus::Refunded;
        }
    }
}

fn event_of(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Created => "payment.created",
        PaymentStatus::Failed => "payment.failed",
        PaymentStatus::Authorized => "payment.authorized",
        PaymentStatus::Captured | PaymentStatus::Refunded => "payment.captured",
    }
}
