//! A server dies between two steps, and the next one comes to the same end as if it had not.

use std::pin::Pin;
use std::time::Duration;

use chrono::TimeDelta;
use kernel::{Caller, Money, UserId};
use marketplace::{Failpoint, Failpoints, Marketplace};
use payments::{NewRefund, Order, Refund, RefundSpeed};
use reqwest::StatusCode;
use sandbox::RefundEnd;
use serde_json::json;
use store::{IdempotencyKey, StoredAnswer};
use testkit::{Scope, on_every_engine};

use super::refunds::newest_refund;
use super::{WEBHOOK_SECRET, event};
use crate::support::{Session, TestApp};

/// A server that stops at the place, for good.
fn dying_at(app: &TestApp, place: Failpoint) -> Marketplace {
    let failpoints = Failpoints::new(move |reached| reached == place);
    Marketplace { failpoints, ..app.state.market.clone() }
}

/// The work is begun, and never comes to its end.
async fn dies<T>(work: Pin<Box<impl Future<Output = T>>>) {
    let ended = tokio::time::timeout(Duration::from_millis(1_500), work).await;
    assert!(ended.is_err(), "it came to its end");
}

/// Asks for an order as the HTTP handler does.
async fn dies_ordering(market: &Marketplace, buyer: &Session) {
    let user: UserId = buyer.user_id.parse().unwrap();
    let key = IdempotencyKey::new(format!("{user} POST /api/payments/order"), "k", br#"{"amount":50000}"#);
    let answer = |_: &Order| StoredAnswer { status: 201, body: "{}".to_owned() };
    dies(Box::pin(market.top_up(user, Money::inr(50_000), &key, answer))).await;
}

/// Asks for a refund as the HTTP handler does.
async fn dies_refunding(market: &Marketplace, finance: &Session, payment: &str, (key, body): (&str, &str)) {
    let scope = format!("{} POST /api/payments/refund", finance.user_id);
    let key = IdempotencyKey::new(scope, key, body.as_bytes());
    let new = NewRefund {
        payment: payment.parse().unwrap(),
        amount: Some(Money::inr(20_000)),
        speed: RefundSpeed::Normal,
        reason: "for the test".to_owned(),
    };
    let answer = |_: &Refund| StoredAnswer { status: 201, body: "{}".to_owned() };
    dies(Box::pin(market.refund_payment(&Caller::system("test"), &new, &key, answer))).await;
}

on_every_engine! { Scope::All =>
    async fn an_order_survives_the_death_of_its_server_at_every_step(db: TestDb) {
        let app = TestApp::start(db).await;
        for place in [
            Failpoint::OrderWritten,
            Failpoint::OrderIntended,
            Failpoint::OrderMade,
            Failpoint::OrderNoted,
            Failpoint::OrderKept,
        ] {
            let buyer = app.member().await;
            let before = app.razorpay().orders().len();
            dies_ordering(&dying_at(&app, place), &buyer).await;
            if ![Failpoint::OrderWritten, Failpoint::OrderKept].contains(&place) {
                let again = app.order(&buyer, 50_000, "k").send().await;
                again.problem(StatusCode::CONFLICT, "idempotency_key_in_progress");
            }
            app.clock.advance(TimeDelta::seconds(61));
            app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
            assert_eq!(app.razorpay().orders().len(), before + 1, "{}", place.name());
        }
        app.stop().await;
    }

    /// Among them `refund_crash_after_send`: the provider has the refund, and nobody here knows.
    async fn refund_crash_after_send_and_at_every_other_step_refunds_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut finance = app.finance().await;
        for place in [
            Failpoint::RefundReserved,
            Failpoint::RefundHeld,
            Failpoint::RefundIntended,
            Failpoint::RefundSent,
            Failpoint::RefundNoted,
            Failpoint::RefundKept,
        ] {
            let buyer = app.member().await;
            let payment = app.topped_up(&buyer, 50_000).await;
            let before = app.razorpay().refunds().len();
            let body = json!({ "paymentId": payment, "reason": "for the test", "amount": 20_000 });
            dies_refunding(&dying_at(&app, place), &finance, &payment, (place.name(), &body.to_string())).await;
            app.clock.advance(TimeDelta::seconds(61));
            app.refresh(&mut finance).await;
            app.step_up(&finance).await;
            app.refund(&finance, &payment, Some(20_000), place.name()).send().await.expect(StatusCode::CREATED);
            assert_eq!(app.razorpay().refunds().len(), before + 1, "{}", place.name());
            assert_eq!(app.purses(&buyer).await, (30_000, 20_000, 0), "{}", place.name());
            app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
            app.look_at_refunds().await;
            assert_eq!(app.purses(&buyer).await, (30_000, 0, 0), "{}", place.name());
            app.refresh(&mut finance).await;
        }
        app.stop().await;
    }

    /// Nobody asks again: the poller alone brings the refund to its end.
    async fn a_refund_whose_server_died_is_carried_on_by_the_poller(db: TestDb) {
        let app = TestApp::start(db).await;
        let finance = app.finance().await;
        for place in [Failpoint::RefundIntended, Failpoint::RefundSent, Failpoint::RefundNoted] {
            let buyer = app.member().await;
            let payment = app.topped_up(&buyer, 50_000).await;
            let before = app.razorpay().refunds().len();
            dies_refunding(&dying_at(&app, place), &finance, &payment, (place.name(), "{}")).await;
            app.look_at_refunds().await;
            assert_eq!(app.razorpay().refunds().len(), before + 1, "{}", place.name());
            app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
            app.look_at_refunds().await;
            assert_eq!(app.purses(&buyer).await, (30_000, 0, 0), "{}", place.name());
        }
        app.stop().await;
    }

    /// Invariant 9: a payment credits exactly once, though each server that hears of it dies, one step later each time.
    async fn a_payment_survives_the_death_of_every_server_that_hears_of_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let authorized = sandbox::Pay::with(sandbox::PayOutcome::Authorized).without_webhooks();
        let checkout = app.razorpay().pay(&order, &authorized).unwrap();
        for place in [
            Failpoint::PaymentFetched,
            Failpoint::PaymentApplied,
            Failpoint::PaymentPosted,
            Failpoint::PaymentCaptured,
            Failpoint::PaymentPosted,
            Failpoint::PaymentKept,
        ] {
            dies(Box::pin(dying_at(&app, place).apply_payment(&checkout.payment_id))).await;
        }
        let body = event("payment.captured", &checkout);
        app.webhook(&body, "evt_1", WEBHOOK_SECRET).send().await.expect(StatusCode::OK);
        dies(Box::pin(dying_at(&app, Failpoint::WebhookApplied).work_off_webhooks())).await;
        app.clock.advance(TimeDelta::hours(1));
        app.state.market.work_off_webhooks().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }
}
