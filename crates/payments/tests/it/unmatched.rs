//! Captured money that cannot be given to anybody: told why, and sent back.

use kernel::Money;
use payments::{
    Charge, FetchedPayment, Mismatch, PaymentError, PaymentFact, PaymentOutcome, PaymentStatus,
    ProviderError, RefundAnswer, RefundOrigin, RefundState, RefundStatus,
};
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, captured, seen, with_refund};

/// Why a look makes a payment nobody's, and how much is to be set aside.
async fn unmatched(desk: &Desk, fetched: &FetchedPayment) -> (Mismatch, Option<Money>) {
    let facts = desk.apply(fetched).await;
    let credited = facts.iter().any(|fact| matches!(fact, PaymentFact::Captured { .. }));
    let told: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            PaymentFact::Unmatched { why, amount, .. } => Some((*why, *amount)),
            _ => None,
        })
        .collect();
    assert!(!credited && told.len() == 1, "{facts:?}");
    let again = desk.apply(fetched).await;
    assert!(again.is_empty(), "{again:?}");
    told[0]
}

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn second_capture_is_unmatched(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let second = unmatched(&desk, &captured(&order, "pay_2")).await;
        assert_eq!(second, (Mismatch::SecondCapture, Some(Money::inr(AMOUNT))));
    }

    async fn another_amount_currency_or_order_is_unmatched(db: TestDb) {
        let desk = Desk::new(db);
        let order = desk.placed().await;
        let mut less = captured(&order, "pay_1");
        less.payment.charge = Charge::inr(AMOUNT - 1);
        assert_eq!(unmatched(&desk, &less).await, (Mismatch::Amount, Some(Money::inr(AMOUNT - 1))));
        let mut more = captured(&order, "pay_2");
        more.payment.charge = Charge::inr(AMOUNT + 1);
        assert_eq!(unmatched(&desk, &more).await, (Mismatch::Amount, Some(Money::inr(AMOUNT + 1))));
        let mut dollars = captured(&order, "pay_3");
        dollars.payment.charge.currency = "USD".to_owned();
        assert_eq!(unmatched(&desk, &dollars).await, (Mismatch::Currency, None));
        let mut foreign = captured(&order, "pay_4");
        foreign.payment.order_id = Some("order_of_another_shop".to_owned());
        assert_eq!(unmatched(&desk, &foreign).await, (Mismatch::ForeignOrder, Some(Money::inr(AMOUNT))));
        let mut none = captured(&order, "pay_5");
        none.payment.order_id = None;
        assert_eq!(unmatched(&desk, &none).await, (Mismatch::NoOrder, Some(Money::inr(AMOUNT))));
    }

    async fn unmatched_money_goes_back_without_a_hold(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let facts = desk.apply(&captured(&order, "pay_2")).await;
        let PaymentFact::Unmatched { payment, ref provider_payment_id, .. } = facts[0] else { panic!("{facts:?}") };
        assert!(matches!(desk.try_refund(payment, None).await, Err(PaymentError::NotRefundable)));
        let request = async |txn: &_| desk.payments.request_return_in_txn(txn, payment).await;
        let refund = desk.db.in_txn(request).await.unwrap().unwrap();
        assert_eq!((refund.origin, refund.amount.amount, refund.hold), (RefundOrigin::Provider, AMOUNT, None));
        assert_eq!(desk.db.in_txn(request).await.unwrap(), None, "once");
        let send = desk.start(&refund).await.unwrap();
        let told = desk.answer(&send, &RefundAnswer::Has(seen(&send, RefundState::Processed))).await;
        let returned = PaymentFact::Returned {
            refund: refund.id,
            provider_refund_id: seen(&send, RefundState::Processed).id,
            payment,
            provider_payment_id: provider_payment_id.clone(),
            amount: Some(Money::inr(AMOUNT)),
        };
        assert_eq!(told, [returned]);
        let view = desk.payments.payment(payment).await.unwrap();
        assert_eq!((view.outcome, view.payment.refunded.amount), (Some(PaymentOutcome::Returned), AMOUNT));
    }

    async fn a_return_that_is_refused_is_told_and_can_be_asked_for_again(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let facts = desk.apply(&captured(&order, "pay_2")).await;
        let PaymentFact::Unmatched { payment, .. } = facts[0] else { panic!("{facts:?}") };
        let request = async |txn: &_| desk.payments.request_return_in_txn(txn, payment).await;
        let refund = desk.db.in_txn(request).await.unwrap().unwrap();
        let send = desk.start(&refund).await.unwrap();
        let told = desk.answer(&send, &RefundAnswer::Refused(refusal())).await;
        assert!(matches!(told[..], [PaymentFact::ReturnFailed { refund: id, .. }] if id == refund.id), "{told:?}");
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Failed);
        assert_eq!(desk.db.in_txn(request).await.unwrap().unwrap().amount.amount, AMOUNT);
    }

    async fn what_is_on_its_way_back_already_is_asked_back_only_when_that_fails(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let second = captured(&order, "pay_2");
        let refunded = |state| {
            let mut fetched = with_refund(&second, "rfnd_1", AMOUNT, state);
            fetched.payment.status = PaymentStatus::Captured;
            fetched
        };
        let facts = desk.apply(&refunded(RefundState::Pending)).await;
        let PaymentFact::Unmatched { payment, .. } = facts[0] else { panic!("{facts:?}") };
        let request = async |txn: &_| desk.payments.request_return_in_txn(txn, payment).await;
        assert_eq!(desk.db.in_txn(request).await.unwrap(), None, "the dashboard was quicker");
        let failed = refunded(RefundState::Failed);
        assert_eq!(desk.apply(&failed).await, [PaymentFact::ReturnDue { payment }]);
        assert!(desk.apply(&failed).await.is_empty());
        assert_eq!(desk.db.in_txn(request).await.unwrap().unwrap().amount.amount, AMOUNT);
    }

    async fn one_look_may_show_a_return_that_failed_and_another_that_arrived(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let second = captured(&order, "pay_2");
        let pending = with_refund(&second, "rfnd_1", AMOUNT, RefundState::Pending);
        desk.apply(&second).await;
        desk.apply(&pending).await;
        let mut look = with_refund(&second, "rfnd_1", AMOUNT, RefundState::Failed);
        look.refunds.extend(with_refund(&second, "rfnd_2", AMOUNT, RefundState::Processed).refunds);
        let told = desk.apply(&look).await;
        let [PaymentFact::ReturnDue { payment }, PaymentFact::Returned { .. }] = told[..] else { panic!("{told:?}") };
        let request = async |txn: &_| desk.payments.request_return_in_txn(txn, payment).await;
        assert_eq!(desk.db.in_txn(request).await.unwrap(), None, "it is back");
    }

    async fn what_the_provider_returned_by_itself_is_told_once(db: TestDb) {
        let desk = Desk::new(db);
        let (order, ..) = desk.credited().await;
        let second = captured(&order, "pay_2");
        desk.apply(&second).await;
        let gone = with_refund(&second, "rfnd_1", AMOUNT, RefundState::Processed);
        let told = desk.apply(&gone).await;
        assert!(matches!(told[..], [PaymentFact::Returned { .. }]), "{told:?}");
        assert!(desk.apply(&gone).await.is_empty());
    }
}

pub(crate) fn refusal() -> ProviderError {
    ProviderError::Refused { status: 400, code: "BAD_REQUEST_ERROR".to_owned(), reason: None }
}
