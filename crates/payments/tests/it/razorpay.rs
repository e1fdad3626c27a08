//! Razorpay's client against the sandbox, which is as strict as the provider; and the desk on top of it.

use std::sync::Arc;
use std::time::Duration;

use kernel::Money;
use payments::{
    NewProviderOrder, NewProviderRefund, PaymentError, PaymentFact, PaymentProvider, PaymentStatus,
    ProviderError, Razorpay, RefundAnswer, RefundSpeed, RefundState, RefundStatus,
};
use sandbox::{Pay, PayOutcome, RazorpayConfig, Running, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{AMOUNT, Desk, KEY_SECRET};
use crate::raw::client;

async fn sandbox() -> Running {
    let razorpay =
        RazorpayConfig { webhook_url: None, refund_delay: Duration::ZERO, ..RazorpayConfig::default() };
    Sandbox::start(SandboxConfig { razorpay, ..SandboxConfig::on_free_ports() }).await.unwrap()
}

fn razorpay(sandbox: &Running) -> Razorpay {
    client(&sandbox.http_url(), KEY_SECRET)
}

async fn fault(sandbox: &Running, fault: Value) {
    let client = outbound::http::client(outbound::http::Timeouts::default()).unwrap();
    let url = format!("{}/control/faults", sandbox.http_url());
    assert!(client.post(url).json(&fault).send().await.unwrap().status().is_success());
}

fn order(receipt: &str) -> NewProviderOrder {
    NewProviderOrder { amount: Money::inr(AMOUNT), receipt: receipt.to_owned() }
}

fn refund(amount: i64, key: &str) -> NewProviderRefund {
    let (idem_key, receipt) = (key.to_owned(), format!("receipt-{key}"));
    NewProviderRefund { amount, idem_key, receipt, speed: RefundSpeed::Normal }
}

#[tokio::test]
async fn an_order_is_made_found_and_paid() {
    let sandbox = sandbox().await;
    let razorpay = razorpay(&sandbox);
    let made = razorpay.create_order(&order("receipt-1")).await.unwrap();
    assert_eq!(made.charge.inr_money(), Some(Money::inr(AMOUNT)));
    assert_eq!(razorpay.find_order_by_receipt("receipt-1").await.unwrap().as_ref(), Some(&made));
    assert_eq!(razorpay.find_order_by_receipt("receipt-2").await.unwrap(), None);
    assert_eq!(razorpay.order(&made.id).await.unwrap(), made);
    let checkout = sandbox.razorpay().pay(&made.id, &Pay::success()).unwrap();
    let payment = razorpay.payment(&checkout.payment_id).await.unwrap();
    assert_eq!((payment.status, payment.order_id.as_ref()), (PaymentStatus::Captured, Some(&made.id)));
    assert!(payment.fee.unwrap() > payment.tax.unwrap());
    assert_eq!(razorpay.payments_of_order(&made.id).await.unwrap(), [payment]);
    sandbox.stop().await;
}

#[tokio::test]
async fn an_authorised_payment_is_captured_once() {
    let sandbox = sandbox().await;
    let razorpay = razorpay(&sandbox);
    let made = razorpay.create_order(&order("receipt-1")).await.unwrap();
    let id = sandbox.razorpay().pay(&made.id, &Pay::with(PayOutcome::Authorized)).unwrap().payment_id;
    assert_eq!(razorpay.payment(&id).await.unwrap().status, PaymentStatus::Authorized);
    let less = razorpay.capture(&id, Money::inr(AMOUNT - 1)).await;
    assert!(matches!(less, Err(ProviderError::Refused { status: 400, .. })), "{less:?}");
    assert_eq!(razorpay.capture(&id, Money::inr(AMOUNT)).await.unwrap().status, PaymentStatus::Captured);
    let again = razorpay.capture(&id, Money::inr(AMOUNT)).await;
    assert!(matches!(again, Err(ProviderError::Refused { status: 400, .. })), "{again:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_refund_under_one_key_is_one_refund() {
    let sandbox = sandbox().await;
    let razorpay = razorpay(&sandbox);
    let made = razorpay.create_order(&order("receipt-1")).await.unwrap();
    let id = sandbox.razorpay().pay(&made.id, &Pay::success()).unwrap().payment_id;
    let first = razorpay.refund(&id, &refund(20_000, "key-0000000001")).await.unwrap();
    assert_eq!(razorpay.refund(&id, &refund(20_000, "key-0000000001")).await.unwrap().id, first.id);
    let changed = razorpay.refund(&id, &refund(30_000, "key-0000000001")).await;
    assert!(matches!(changed, Err(ProviderError::Refused { .. })), "{changed:?}");
    let too_much = razorpay.refund(&id, &refund(AMOUNT, "key-0000000002")).await;
    assert!(matches!(too_much, Err(ProviderError::Refused { .. })), "{too_much:?}");
    assert_eq!(razorpay.refund_by_id(&first.id).await.unwrap().receipt, first.receipt);
    let all = razorpay.refunds_of_payment(&id).await.unwrap();
    assert_eq!(
        all.iter().map(|refund| (&refund.id, refund.amount)).collect::<Vec<_>>(),
        [(&first.id, 20_000)]
    );
    assert_eq!(razorpay.payment(&id).await.unwrap().amount_refunded, 20_000);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_refund_whose_answers_are_lost_is_made_once() {
    let sandbox = sandbox().await;
    let razorpay = razorpay(&sandbox);
    let made = razorpay.create_order(&order("receipt-1")).await.unwrap();
    let id = sandbox.razorpay().pay(&made.id, &Pay::success()).unwrap().payment_id;
    let lost = json!({"target": "razorpay", "call": "refund", "drop": true, "after": true, "times": 2});
    fault(&sandbox, lost).await;
    let refunded = razorpay.refund(&id, &refund(20_000, "key-0000000001")).await.unwrap();
    assert_eq!(refunded.state, RefundState::Processed);
    assert_eq!(sandbox.razorpay().refunds().len(), 1);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_our_fault_and_an_unknown_id_a_refusal() {
    let sandbox = sandbox().await;
    let wrong = client(&sandbox.http_url(), "wrong").create_order(&order("receipt-1")).await;
    assert_eq!(wrong, Err(ProviderError::Misconfigured { status: 401 }));
    let unknown = razorpay(&sandbox).payment("pay_00000000000000").await;
    assert!(matches!(unknown, Err(ProviderError::Refused { status: 400, .. })), "{unknown:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_throttled_order_is_made_after_a_pause() {
    let sandbox = sandbox().await;
    fault(&sandbox, json!({"target": "razorpay", "error": 429, "times": 2})).await;
    razorpay(&sandbox).create_order(&order("receipt-1")).await.unwrap();
    assert_eq!(sandbox.razorpay().orders().len(), 1);
    sandbox.stop().await;
}

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn an_order_whose_answer_was_lost_is_found_by_its_receipt(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        fault(&sandbox, json!({"target": "razorpay", "call": "order", "drop": true, "after": true, "times": 1})).await;
        let placed = desk.payments.place_order(&order).await.unwrap();
        assert_eq!(desk.payments.recover_order(&order).await.unwrap(), placed, "and not made again");
        assert_eq!(sandbox.razorpay().orders().len(), 1);
        let other = desk.open().await;
        assert_eq!(desk.payments.find_placed_order(&other).await.unwrap(), None);
        fault(&sandbox, json!({"target": "razorpay", "call": "order", "drop": true, "times": 1})).await;
        assert_eq!(desk.payments.place_order(&other).await, Err(ProviderError::Unknown));
        desk.payments.recover_order(&other).await.unwrap();
        assert_eq!(sandbox.razorpay().orders().len(), 2);
        sandbox.stop().await;
    }

    /// The look-up for an order of unknown outcome fails, too: that says nothing of the order.
    async fn an_order_that_cannot_be_looked_up_stays_unknown_and_is_not_made_again(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        fault(&sandbox, json!({"target": "razorpay", "drop": true, "after": true})).await;
        assert_eq!(desk.payments.place_order(&order).await, Err(ProviderError::Unknown));
        fault(&sandbox, json!({"target": "razorpay", "error": 429, "times": 3})).await;
        assert_eq!(desk.payments.recover_order(&order).await, Err(ProviderError::Unknown));
        let placed = desk.payments.recover_order(&order).await.unwrap();
        assert_eq!(sandbox.razorpay().orders()[0]["id"], placed.id);
        assert_eq!(sandbox.razorpay().orders().len(), 1);
        sandbox.stop().await;
    }

    async fn a_payment_is_fetched_with_its_order_and_refunds(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        let placed = desk.payments.place_order(&order).await.unwrap();
        let id = sandbox.razorpay().pay(&placed.id, &Pay::success()).unwrap().payment_id;
        sandbox.razorpay().refund_from_dashboard(&id, Some(10_000)).unwrap();
        let fetched = desk.payments.fetch_payment(&id).await.unwrap();
        assert_eq!(fetched.order.as_ref(), Some(&placed), "its id is not known here yet");
        assert_eq!(fetched.refunds.len(), 1);
        let facts = desk.apply(&fetched).await;
        assert!(matches!(facts[0], PaymentFact::Captured { user, .. } if user == order.user));
        assert!(facts.iter().any(|fact| matches!(fact, PaymentFact::RefundedElsewhere { amount, .. } if *amount == Money::inr(10_000))));
        assert_eq!(desk.payments.fetch_payment(&id).await.unwrap().order, None, "now it is");
        let order = desk.payments.order(order.id).await.unwrap();
        assert_eq!(desk.payments.fetch_payments_of(&order).await.unwrap().len(), 1);
        let hostile = desk.payments.fetch_payment("../orders").await;
        assert!(matches!(hostile, Err(PaymentError::PaymentNotFound)));
        sandbox.stop().await;
    }

    async fn a_late_payment_is_captured_and_credited(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        let placed = desk.payments.place_order(&order).await.unwrap();
        let id = sandbox.razorpay().pay(&placed.id, &Pay::with(PayOutcome::Authorized)).unwrap().payment_id;
        let facts = desk.apply(&desk.payments.fetch_payment(&id).await.unwrap()).await;
        let PaymentFact::Authorized { ref provider_payment_id, amount, .. } = facts[0] else { panic!("{facts:?}") };
        desk.payments.capture(provider_payment_id, amount).await.unwrap();
        desk.payments.capture(provider_payment_id, amount).await.unwrap();
        let facts = desk.apply(&desk.payments.fetch_payment(&id).await.unwrap()).await;
        assert!(matches!(facts[0], PaymentFact::Captured { .. }), "{facts:?}");
        sandbox.stop().await;
    }

    async fn refund_crash_after_send_is_one_refund(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        let placed = desk.payments.place_order(&order).await.unwrap();
        let id = sandbox.razorpay().pay(&placed.id, &Pay::success()).unwrap().payment_id;
        let facts = desk.apply(&desk.payments.fetch_payment(&id).await.unwrap()).await;
        let PaymentFact::Captured { payment, .. } = facts[0] else { panic!("{facts:?}") };
        let refund = desk.refund(payment, Some(20_000)).await;
        let crashed = desk.start(&refund).await.unwrap();
        assert!(matches!(desk.payments.send_refund(&crashed).await, RefundAnswer::Has(_)));
        // The process ends here; another one finds the refund being submitted, and sends the same again.
        let again = desk.start(&refund).await.unwrap();
        let answer = desk.payments.send_refund(&again).await;
        assert_eq!(desk.answer(&again, &answer).await.len(), 1);
        assert_eq!(sandbox.razorpay().refunds().len(), 1);
        assert_eq!(desk.payments.refund(refund.id).await.unwrap().status, RefundStatus::Processed);
        assert!(desk.apply(&desk.payments.fetch_payment(&id).await.unwrap()).await.is_empty());
        sandbox.stop().await;
    }

    async fn a_refusal_is_believed_only_when_the_provider_has_no_such_refund(db: TestDb) {
        let sandbox = sandbox().await;
        let desk = Desk::with(db, Arc::new(razorpay(&sandbox)));
        let order = desk.open().await;
        let placed = desk.payments.place_order(&order).await.unwrap();
        let id = sandbox.razorpay().pay(&placed.id, &Pay::success()).unwrap().payment_id;
        let facts = desk.apply(&desk.payments.fetch_payment(&id).await.unwrap()).await;
        let PaymentFact::Captured { payment, .. } = facts[0] else { panic!("{facts:?}") };
        let refund = desk.refund(payment, None).await;
        let send = desk.start(&refund).await.unwrap();
        assert!(matches!(desk.payments.send_refund(&send).await, RefundAnswer::Has(_)));
        fault(&sandbox, json!({"target": "razorpay", "call": "refund", "error": 400, "times": 1})).await;
        assert!(matches!(desk.payments.send_refund(&send).await, RefundAnswer::Has(_)), "it is in the list");
        sandbox.stop().await;
    }
}
