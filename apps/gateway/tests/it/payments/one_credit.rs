//! One payment, told of by everybody at once: one credit.

use chrono::TimeDelta;
use futures_util::future::{LocalBoxFuture, join_all};
use reqwest::StatusCode;
use testkit::{Scope, on_every_engine};

use super::{WEBHOOK_SECRET, event, fresh_key};
use crate::support::TestApp;

/// Invariants 8 and 9.
async fn told_by_everybody(app: &TestApp, shuffle: u64) {
    let mut buyer = app.member().await;
    let checkout = app.paid(&buyer, 50_000).await;
    let (captured, paid) = (event("payment.captured", &checkout), event("order.paid", &checkout));
    app.clock.advance(TimeDelta::minutes(11));
    app.refresh(&mut buyer).await;
    let (app, buyer, checkout, captured, paid) = (app, &buyer, &checkout, &captured, &paid);
    let teller = |n: u64| -> LocalBoxFuture<'_, ()> {
        match (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ shuffle) % 5 {
            0 => Box::pin(async move { assert_eq!(app.verify(buyer, checkout).send().await.status, 200) }),
            1 => Box::pin(async move {
                assert_eq!(app.webhook(captured, &fresh_key(), WEBHOOK_SECRET).send().await.status, 200)
            }),
            2 => Box::pin(async move {
                assert_eq!(app.webhook(paid, &fresh_key(), WEBHOOK_SECRET).send().await.status, 200)
            }),
            3 => Box::pin(async move { assert!(app.state.market.poll_orders().await.is_ok()) }),
            _ => Box::pin(async move { assert!(app.state.market.work_off_webhooks().await.is_ok()) }),
        }
    };
    join_all((0..50).map(teller)).await;
    app.run_jobs().await;
    assert_eq!(app.purses(buyer).await, (50_000, 0, 0), "the order of tellers came from {shuffle}");
}

on_every_engine! { Scope::All =>
    async fn one_payment_told_of_fifty_times_at_once_credits_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let shuffle = u64::from_le_bytes(kernel::Ambient::system().random_bytes());
        told_by_everybody(&app, shuffle).await;
        app.stop().await;
    }

    async fn one_payment_told_of_fifty_times_one_after_another_credits_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        for n in 0..50_u32 {
            match n % 4 {
                0 => drop(app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK)),
                1 => drop(app.told(&event("payment.captured", &checkout)).await),
                2 => drop(app.told(&event("order.paid", &checkout)).await),
                _ => {
                    app.clock.advance(TimeDelta::hours(2));
                    app.refresh(&mut buyer).await;
                    app.state.market.poll_orders().await.unwrap();
                }
            }
        }
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }
}
