//! One request under one key acts once: at once, and from two servers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::Paging;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testkit::{Scope, TestDb, on_every_engine};
use tokio::io::AsyncWriteExt;

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

fn first_page() -> Paging {
    Paging::Numbered { page: 1, limit: 10 }
}

async fn count(db: &TestDb, of: &str) -> i64 {
    let select = db.engine().statement(&format!("SELECT COUNT(*) AS n FROM {of}"), []);
    db.reader().unwrap().query_one_raw(select).await.unwrap().unwrap().try_get("", "n").unwrap()
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

    /// The first is so slow at the provider that its lease runs out, and the second takes over: one order, one answer.
    async fn a_request_that_lost_its_lease_gives_the_answer_of_who_took_over(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut buyer = app.member().await;
        app.fault(&json!({ "target": "razorpay", "call": "order", "delayMs": 2_000, "times": 1 })).await;
        let slow = tokio::spawn(app.order(&buyer, 50_000, "k").send());
        while count(db, "idempotency_keys WHERE recovery_point IS NOT NULL").await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        app.clock.advance(TimeDelta::seconds(61));
        app.refresh(&mut buyer).await;
        let answers = [app.order(&buyer, 50_000, "k").send().await, slow.await.unwrap()];
        answered_alike(&answers);
        let [order] = app.state.market.payments.orders_of(buyer.user_id.parse().unwrap(), &first_page()).await.unwrap().data.try_into().unwrap();
        let kept = answers.iter().find(|answer| answer.status == 201).unwrap();
        assert_eq!(order.provider_order_id, Some(kept.text("/razorpayOrderId")));
        app.stop().await;
    }

    /// A client that goes away in the middle, without a word, does not stop what it asked for; nor does it leave the
    /// server a connection to its database that is cut off in the middle of something.
    async fn what_was_asked_for_goes_on_when_the_client_goes_away(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.fault(&json!({ "target": "razorpay", "call": "order", "delayMs": 300, "times": 1 })).await;
        let body = json!({ "amount": 50_000 }).to_string();
        let request = format!(
            "POST /api/payments/order HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: k\r\nContent-Length: {}\r\n\r\n{body}",
            buyer.access,
            body.len()
        );
        let mut client = tokio::net::TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        while count(db, "idempotency_keys WHERE recovery_point IS NOT NULL").await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Closed with a reset, as by a phone that lost its network.
        client.set_zero_linger().unwrap();
        drop(client);
        let deadline = Instant::now() + Duration::from_secs(10);
        while count(db, "idempotency_keys WHERE status = 201").await == 0 {
            assert!(Instant::now() < deadline, "the order was dropped with the connection");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let again = app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(app.razorpay().orders().len(), 1);
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
