//! One request under one key acts once: at once, and from two servers.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::StatusCode;
use testkit::{Scope, TestDb, on_every_engine};

use crate::support::{Answer, TestApp};

/// A second server on the same database, with the same provider behind it.
async fn another(app: &TestApp, db: &TestDb) -> TestApp {
    let provider = app.sandbox_url();
    let other = TestApp::start_with(db, |config| config.razorpay.base_url = provider.parse().unwrap()).await;
    other.clock.set(kernel::Clock::now(app.clock.as_ref()));
    other
}

/// Those that were answered have one answer; the others were told to wait.
fn answered_alike(answers: &[Answer]) {
    let (answered, waiting): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    let bodies: BTreeSet<_> = answered.iter().map(|answer| &answer.bytes).collect();
    assert_eq!(bodies.len(), 1, "{answers:?}");
    for answer in waiting {
        assert_eq!((answer.status, answer.text("/code")), (409, "idempotency_key_in_progress".to_owned()));
    }
}

on_every_engine! { Scope::All =>
    async fn sixty_four_identical_orders_at_once_make_one(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let answers = join_all((0..64).map(|_| app.order(&buyer, 50_000, "one-key").send())).await;
        answered_alike(&answers);
        assert_eq!(app.razorpay().orders().len(), 1);
        let again = app.order(&buyer, 50_000, "one-key").send().await.expect(StatusCode::CREATED);
        assert_eq!(again.header("idempotent-replayed"), "true");
        app.order(&buyer, 60_000, "one-key").send().await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        app.stop().await;
    }

    async fn sixty_four_identical_refunds_at_once_make_one(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        let answers = join_all((0..64).map(|_| app.refund(&finance, &payment, Some(10_000), "one-key").send())).await;
        answered_alike(&answers);
        assert_eq!(app.razorpay().refunds().len(), 1);
        assert_eq!(app.purses(&buyer).await, (40_000, 10_000, 0));
        app.stop().await;
    }

    async fn identical_requests_to_two_servers_act_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let other = another(&app, db).await;
        let order = |n: usize| if n.is_multiple_of(2) { &app } else { &other }.order(&buyer, 50_000, "k-order").send();
        answered_alike(&join_all((0..64).map(order)).await);
        assert_eq!(app.razorpay().orders().len(), 1);
        let payment = app.topped_up(&buyer, 50_000).await;
        let refund = |n: usize| {
            let server = if n.is_multiple_of(2) { &app } else { &other };
            server.refund(&finance, &payment, Some(10_000), "k-refund").send()
        };
        answered_alike(&join_all((0..64).map(refund)).await);
        assert_eq!(app.razorpay().refunds().len(), 1);
        assert_eq!(app.purses(&buyer).await, (40_000, 10_000, 0));
        other.stop().await;
        app.stop().await;
    }
}
