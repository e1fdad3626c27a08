//! What a webhook says has happened, held against what the provider shows. Its reads may lag behind its webhooks: then
//! the webhook is not done yet. Nothing that it says is believed for this; it is only looked for again.

use super::ClaimedWebhook;
use crate::{FetchedPayment, PaymentStatus, RefundState};

impl ClaimedWebhook {
    /// Whether the payment, as it was fetched, shows what the webhook tells of.
    pub fn is_shown_by(&self, fetched: &FetchedPayment) -> bool {
        let has_come_to = |status: PaymentStatus| fetched.payment.status.rank() >= status.rank();
        match self.event_type.as_str() {
            "payment.authorized" => has_come_to(PaymentStatus::Authorized),
            "payment.captured" | "order.paid" => has_come_to(PaymentStatus::Captured),
            "payment.failed" => has_come_to(PaymentStatus::Failed),
            _ => self.refund.as_deref().is_none_or(|id| self.is_refund_shown_by(id, fetched)),
        }
    }

    fn is_refund_shown_by(&self, id: &str, fetched: &FetchedPayment) -> bool {
        let has_ended = matches!(self.event_type.as_str(), "refund.processed" | "refund.failed");
        let shown = fetched.refunds.iter().find(|refund| refund.id == id);
        shown.is_some_and(|refund| !has_ended || refund.state != RefundState::Pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::WebhookTarget;
    use crate::{Charge, ProviderPayment, ProviderRefund};

    fn webhook(event_type: &str, refund: Option<&str>) -> ClaimedWebhook {
        ClaimedWebhook {
            event_id: "evt_1".to_owned(),
            event_type: event_type.to_owned(),
            target: WebhookTarget::Payment("pay_1".to_owned()),
            refund: refund.map(ToOwned::to_owned),
            attempts: 1,
            unseen: 0,
        }
    }

    fn payment(status: PaymentStatus, refund: Option<RefundState>) -> FetchedPayment {
        let refund_of = |state| ProviderRefund {
            id: "rfnd_1".to_owned(),
            payment_id: "pay_1".to_owned(),
            amount: 100,
            state,
            receipt: None,
        };
        FetchedPayment {
            payment: ProviderPayment {
                id: "pay_1".to_owned(),
                order_id: None,
                charge: Charge::inr(50_000),
                status,
                method: None,
                amount_refunded: 0,
                fee: None,
                tax: None,
            },
            order: None,
            refunds: refund.map(refund_of).into_iter().collect(),
        }
    }

    #[test]
    fn a_payment_shows_what_it_has_come_to_and_all_before_it() {
        use PaymentStatus::{Authorized, Captured, Created, Failed, Refunded};
        for (event, first) in [
            ("payment.failed", Failed),
            ("payment.authorized", Authorized),
            ("payment.captured", Captured),
            ("order.paid", Captured),
        ] {
            for status in [Created, Failed, Authorized, Captured, Refunded] {
                let is_shown = webhook(event, None).is_shown_by(&payment(status, None));
                assert_eq!(is_shown, status.rank() >= first.rank(), "{event} {status:?}");
            }
        }
    }

    #[test]
    fn a_refund_is_shown_when_it_is_there_and_its_end_when_it_has_ended() {
        use RefundState::{Failed, Pending, Processed};
        for (event, id, seen, is_shown) in [
            ("refund.created", "rfnd_1", None, false),
            ("refund.created", "rfnd_1", Some(Pending), true),
            ("refund.processed", "rfnd_1", Some(Pending), false),
            ("refund.processed", "rfnd_1", Some(Processed), true),
            ("refund.failed", "rfnd_1", Some(Pending), false),
            ("refund.failed", "rfnd_1", Some(Failed), true),
            ("refund.processed", "rfnd_2", Some(Processed), false),
        ] {
            let fetched = payment(PaymentStatus::Captured, seen);
            assert_eq!(webhook(event, Some(id)).is_shown_by(&fetched), is_shown, "{event} {id} {seen:?}");
        }
    }

    #[test]
    fn what_says_nothing_that_could_be_seen_is_shown() {
        let fetched = payment(PaymentStatus::Created, None);
        for event in ["payment.dispute.created", "refund.processed", "something.new"] {
            assert!(webhook(event, None).is_shown_by(&fetched), "{event}");
        }
    }
}
