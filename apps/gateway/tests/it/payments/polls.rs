//! What nobody told us is looked for.

use chrono::TimeDelta;
use kernel::Ambient;
use reqwest::StatusCode;
use sandbox::{Pay, PayOutcome};
use serde_json::json;
use store::Scheduler;
use testkit::{Scope, on_every_engine};

use crate::support::TestApp;

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
