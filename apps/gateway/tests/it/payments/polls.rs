//! What nobody told us is looked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use kernel::{Ambient, Money};
use ledger::{House, JournalKind, Leg, NewJournal, Reference};
use marketplace::{Failpoint, Failpoints, Marketplace};
use reqwest::StatusCode;
use sandbox::{Pay, PayOutcome, RefundEnd};
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::Scheduler;
use testkit::{Scope, TestDb, on_every_engine};
use tokio::sync::Notify;

use super::event;
use super::refunds::newest_refund;
use crate::support::TestApp;

/// How many looks at the one order, to the last, showed nothing.
async fn looks_in_vain(db: &TestDb) -> i32 {
    let select = db.engine().statement("SELECT failed_looks FROM payment_orders", []);
    db.reader().unwrap().query_one_raw(select).await.unwrap().unwrap().try_get("", "failed_looks").unwrap()
}

/// Lets the scheduler see the clock, and the worker do what is due.
async fn minutes_pass(app: &TestApp, minutes: i64) {
    let state = &app.state;
    let scheduler = Scheduler::new(state.db.clone(), state.ambient.clone(), marketplace::schedules());
    scheduler.tick().await.unwrap();
    app.clock.advance(TimeDelta::minutes(minutes));
    scheduler.tick().await.unwrap();
    app.run_jobs().await;
}

on_every_engine! { Scope::All =>
    /// The browser never returned, and every webhook was lost.
    async fn with_all_webhooks_lost_the_poller_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.paid(&buyer, 50_000).await;
        minutes_pass(&app, 5).await;
        assert_eq!(app.purses(&buyer).await, (0, 0, 0), "too early to look");
        minutes_pass(&app, 6).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        minutes_pass(&app, 120).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn a_payment_that_succeeds_days_later_is_credited_by_the_poller(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let late = app.razorpay().pay(&order, &Pay::with(PayOutcome::Late).without_webhooks()).unwrap();
        minutes_pass(&app, 11).await;
        minutes_pass(&app, 60).await;
        app.razorpay().settle(&late.payment_id).unwrap();
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        minutes_pass(&app, 24 * 60).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// The order was given up long ago as nobody's wish, then somebody paid it, and all webhooks were lost.
    async fn a_payment_after_the_orders_last_look_is_credited_within_a_day(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        for days in [5, 15] {
            minutes_pass(&app, days * 24 * 60).await;
        }
        let mine = app.state.market.payments.find_order(&order).await.unwrap().unwrap();
        assert_eq!(mine.status, payments::OrderStatus::Expired);
        app.razorpay().pay(&order, &Pay::success().without_webhooks()).unwrap();
        minutes_pass(&app, 24 * 60).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// A refund in the dashboard, months later, of which no webhook told.
    async fn a_refund_from_the_dashboard_that_nobody_told_of_is_found_by_a_late_look(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        minutes_pass(&app, 100 * 24 * 60).await;
        app.razorpay().refund_from_dashboard(&checkout.payment_id, Some(20_000)).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        minutes_pass(&app, 7 * 24 * 60).await;
        assert_eq!(app.purses(&buyer).await, (30_000, 0, 0));
        app.stop().await;
    }

    /// The books take one of the order's payments for another thing: the other payment is credited all the same.
    async fn a_payment_that_cannot_be_applied_holds_up_no_other_of_its_order(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.paid(&buyer, 50_000).await.order_id;
        app.razorpay().pay(&order, &Pay::success().without_webhooks()).unwrap();
        let market = &app.state.market;
        let mine = market.payments.find_order(&order).await.unwrap().unwrap();
        let listed = market.payments.fetch_payments_of(&mine).await.unwrap();
        let first = &listed[0].as_ref().unwrap().payment.id;
        let legs = vec![Leg::new(House::GatewayClearing, House::SuspenseUnmatched, Money::inr(1))];
        let other = NewJournal::new(format!("topup:{first}"), JournalKind::Unmatched, Reference::new("test", "x"), legs);
        market.ledger.post(&other.unwrap()).await.unwrap();
        minutes_pass(&app, 11).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        assert_eq!(looks_in_vain(db).await, 1, "it is looked at again");
        app.stop().await;
    }

    async fn an_order_that_the_provider_does_not_show_is_looked_at_ever_more_rarely(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.paid(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "error": 404, "call": "read" })).await;
        app.clock.advance(TimeDelta::minutes(10));
        let market = &app.state.market;
        for (looks, minutes) in [(1, 15), (2, 30), (3, 60)] {
            assert_eq!(market.poll_orders().await.unwrap(), 1);
            assert_eq!(looks_in_vain(db).await, looks);
            app.clock.advance(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
            assert_eq!(market.poll_orders().await.unwrap(), 0, "not within {minutes} minutes");
            app.clock.advance(TimeDelta::seconds(1));
        }
        app.no_faults().await;
        assert_eq!(market.poll_orders().await.unwrap(), 1);
        assert_eq!((looks_in_vain(db).await, app.purses(&buyer).await), (0, (50_000, 0, 0)));
        app.stop().await;
    }

    /// An outage says nothing of the order: it is looked at again as soon as its lease is over.
    async fn a_look_for_which_the_provider_could_not_be_reached_does_not_count(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.paid(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "error": 429 })).await;
        app.clock.advance(TimeDelta::minutes(10));
        assert_eq!(app.state.market.poll_orders().await.unwrap(), 1);
        assert_eq!(looks_in_vain(db).await, 0);
        app.no_faults().await;
        app.clock.advance(TimeDelta::minutes(15));
        app.state.market.poll_orders().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn a_poll_that_dawdles_holds_up_neither_webhooks_nor_the_next_one(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, other) = (app.member().await, app.member().await);
        app.paid(&buyer, 50_000).await;
        let told = app.paid(&other, 70_000).await;
        app.clock.advance(TimeDelta::minutes(11));
        let (at_provider, is_first) = (Arc::new(Notify::new()), AtomicBool::new(true));
        let reached = Arc::clone(&at_provider);
        let failpoints = Failpoints::new(move |place| {
            let stops = place == Failpoint::PaymentFetched && is_first.swap(false, Ordering::SeqCst);
            if stops {
                reached.notify_one();
            }
            stops
        });
        let market = Marketplace { failpoints, ..app.state.market.clone() };
        let dawdling = tokio::spawn(async move { market.poll_orders().await });
        at_provider.notified().await;

        assert_eq!(app.state.market.poll_orders().await.unwrap(), 0, "one at a time");
        app.state.market.poll_refunds().await.unwrap();
        app.told(&event("payment.captured", &told)).await;
        assert_eq!(app.purses(&other).await, (70_000, 0, 0));

        dawdling.abort();
        assert!(dawdling.await.unwrap_err().is_cancelled());
        app.clock.advance(TimeDelta::minutes(15));
        app.state.market.poll_orders().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// The order exists at the provider, and we never heard its id.
    async fn an_order_whose_answer_was_lost_is_found_by_its_receipt(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.fault(&json!({ "target": "razorpay", "drop": true, "after": true, "call": "order", "times": 1 })).await;
        let made = app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
        let [placed] = app.razorpay().orders().try_into().unwrap();
        assert_eq!(made.text("/razorpayOrderId"), placed["id"].as_str().unwrap());
        app.stop().await;
    }

    async fn an_order_that_was_never_made_is_given_up_and_its_key_is_good_again(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut buyer = app.member().await;
        app.fault(&json!({ "target": "razorpay", "error": 503 })).await;
        app.order(&buyer, 50_000, "k").send().await.problem(StatusCode::SERVICE_UNAVAILABLE, "payment_provider_unavailable");
        app.no_faults().await;
        app.clock.advance(TimeDelta::minutes(2));
        minutes_pass(&app, 11).await;
        app.refresh(&mut buyer).await;
        // The first says that nothing came of it, or makes it; then it is made once.
        app.order(&buyer, 50_000, "k").send().await;
        app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
        assert_eq!(app.razorpay().orders().len(), 1);
        app.stop().await;
    }

    /// Nothing is asked of the provider twice at the same time, and a schedule that two instances see fires once.
    async fn two_schedulers_fire_each_poll_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let state = &app.state;
        let another = || Scheduler::new(state.db.clone(), Ambient::clone(&state.ambient), marketplace::schedules());
        let (one, two) = (another(), another());
        one.tick().await.unwrap();
        app.clock.advance(TimeDelta::minutes(1));
        let (one, two) = tokio::join!(one.tick(), two.tick());
        let fired = one.unwrap() + two.unwrap();
        assert_eq!(fired, marketplace::schedules().len().min(fired), "no schedule fires twice");
        assert!(fired >= 3, "orders, refunds and webhooks are looked after each minute");
        app.stop().await;
    }
}
