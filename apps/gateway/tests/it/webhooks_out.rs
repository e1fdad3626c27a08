//! Webhooks out over HTTP: to a server of somebody else's, signed, repeated until it takes them, and never inside.

use chrono::TimeDelta;
use kernel::{Clock, Role};
use notify::verify_hook_signature;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Scope, TestDb, on_every_engine};

use crate::realtime::{bonus, relay};
use crate::support::{Session, TestApp};
use testkit::receiver::{Receiver, Request};

pub(crate) async fn webhook(app: &TestApp, admin: &Session, receiver: &Receiver) -> (String, String) {
    let url = format!("http://127.0.0.1:{}/hooks", receiver.port);
    let body = json!({ "url": url, "description": "for the test", "topics": ["wallet.bonus_granted"] });
    let made = app.post("/api/webhooks").bearer(admin).json(&body).send().await.expect(StatusCode::CREATED);
    (format!("/api/webhooks/{}", made.text("/id")), made.text("/secret"))
}

fn is_signed(app: &TestApp, request: &Request, secret: &str) -> bool {
    let timestamp = request.header("webhook-timestamp").parse().unwrap();
    let (id, signature) = (request.header("webhook-id"), request.header("webhook-signature"));
    let now = app.clock.now().timestamp();
    verify_hook_signature(&secret.into(), &id, timestamp, &request.body, &signature, now)
}

/// The places of what came among all events, in the order in which it came.
fn sequences(receiver: &Receiver) -> Vec<i64> {
    let bodies = receiver.requests().into_iter().map(|request| request.body);
    bodies.map(|body| serde_json::from_str::<Value>(&body).unwrap()["sequence"].as_i64().unwrap()).collect()
}

/// How many jobs there were for webhooks on their way.
async fn jobs(db: &TestDb) -> usize {
    let select = db.engine().statement("SELECT id FROM jobs WHERE kind = 'notify.send_hook'", []);
    db.reader().unwrap().query_all_raw(select).await.unwrap().len()
}

/// A worker of its own, as another process has one.
fn worker(app: &TestApp) -> tokio::task::JoinHandle<()> {
    let market = app.state.market.clone();
    tokio::spawn(async move {
        marketplace::worker(&market).run(std::future::pending(), std::time::Duration::ZERO).await;
    })
}

/// Looks every few milliseconds until so much came; gives up after a minute: a busy machine is slow, not wrong.
async fn came(receiver: &Receiver, requests: usize) {
    let begin = std::time::Instant::now();
    while receiver.requests().len() < requests {
        assert!(begin.elapsed().as_secs() < 60, "waited in vain for {requests} requests");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

on_every_engine! { Scope::All =>
    /// Some endpoints do not answer: each has one webhook at a time, and all others go on.
    async fn a_slow_partner_gets_one_at_a_time_in_order_and_holds_up_no_other(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let (slow, quick) = (Receiver::holding().await, Receiver::answering(&[]).await);
        let (path, _) = webhook(&app, &admin, &slow).await;
        webhook(&app, &admin, &quick).await;
        let hanging = [Receiver::holding().await, Receiver::holding().await, Receiver::holding().await,
            Receiver::holding().await, Receiver::holding().await];
        for receiver in &hanging {
            webhook(&app, &admin, receiver).await;
        }
        for _ in 0..8 {
            bonus(&app, &admin, &member, 100).await;
        }
        relay(&app).await;
        let worker = worker(&app);
        came(&quick, 8).await;
        came(&slow, 1).await;
        let order = sequences(&quick);
        assert!(order.is_sorted() && order.len() == 8, "{order:?}");
        assert_eq!(sequences(&slow), order[..1], "one is on its way, and no other");
        for answered in 1..8 {
            slow.release(1);
            came(&slow, answered + 1).await;
            assert_eq!(sequences(&slow), order[..=answered]);
        }
        slow.release(1);
        let begin = std::time::Instant::now();
        loop {
            let log = app.get(&format!("{path}/deliveries")).bearer(&admin).send().await.expect(StatusCode::OK);
            let all = log.body["data"].as_array().unwrap().clone();
            if all.iter().all(|one| one["status"] == "delivered" && one["attempts"] == 1) {
                assert_eq!(all.len(), 8);
                break;
            }
            assert!(begin.elapsed().as_secs() < 60, "waited in vain: {all:?}");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        worker.abort();
        app.stop().await;
    }

    async fn what_a_process_that_died_was_sending_comes_again_before_what_is_later(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let receiver = Receiver::holding().await;
        webhook(&app, &admin, &receiver).await;
        for _ in 0..3 {
            bonus(&app, &admin, &member, 100).await;
        }
        relay(&app).await;
        let dying = worker(&app);
        came(&receiver, 1).await;
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled(), "it settles nothing");
        receiver.release(4);
        app.run_jobs().await;
        assert_eq!(receiver.requests().len(), 1, "nobody knows yet that it died");
        app.clock.advance(TimeDelta::seconds(31));
        app.run_jobs().await;
        assert_eq!(receiver.requests().len(), 1, "nor is its webhook free");
        app.clock.advance(TimeDelta::seconds(30));
        app.run_jobs().await;
        let order = sequences(&receiver);
        assert_eq!(order.len(), 4, "{order:?}");
        assert!(order.is_sorted() && order[0] == order[1] && order[1] < order[2] && order[2] < order[3], "{order:?}");
        let ids = receiver.requests().into_iter().map(|request| request.header("webhook-id"));
        assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 3, "the repetition can be told");
        app.stop().await;
    }

    /// Whoever finds a webhook that waits for long asks for a job once more.
    async fn a_webhook_that_is_asked_for_again_has_one_job(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let receiver = Receiver::answering(&[]).await;
        webhook(&app, &admin, &receiver).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        assert_eq!(jobs(db).await, 1);
        app.clock.advance(TimeDelta::minutes(20));
        // Done before the webhook's own job, since it is due earlier.
        let ask = store::NewJob::new("notify.overdue", json!({})).at(app.clock.now() - TimeDelta::hours(1));
        let asked = app.state.db.in_txn(async |txn| store::enqueue_in_txn(txn, &app.state.ambient, ask.clone()).await);
        asked.await.unwrap().unwrap();
        app.run_jobs().await;
        assert_eq!((jobs(db).await, receiver.requests().len()), (1, 1));
        app.stop().await;
    }

    async fn a_partner_hears_of_it_signed_and_again_after_a_failure(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let receiver = Receiver::answering(&["500 Internal Server Error"]).await;
        let (path, secret) = webhook(&app, &admin, &receiver).await;
        let shown = app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);
        assert!(!shown.body.to_string().contains("whsec_"), "the secret is shown once");
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        let first = receiver.requests();
        assert_eq!(first.len(), 1);
        let body: Value = serde_json::from_str(&first[0].body).unwrap();
        assert_eq!(body["type"], json!("wallet.bonus_granted"));
        assert_eq!(body["subject"], json!(format!("user:{}", member.user_id)), "whose money it is");
        assert!(body["sequence"].as_i64().unwrap() > 0);
        let said: Vec<_> = body["data"].as_object().unwrap().keys().collect();
        assert_eq!(said, ["amount", "journal"]);
        assert!(is_signed(&app, &first[0], &secret));
        assert!(!is_signed(&app, &first[0], "whsec_AAAA"));
        app.clock.advance(TimeDelta::seconds(10));
        app.run_jobs().await;
        let both = receiver.requests();
        assert_eq!(both.len(), 2, "it is tried again");
        assert_eq!(both[0].header("webhook-id"), both[1].header("webhook-id"));
        let log = app.get(&format!("{path}/deliveries")).bearer(&admin).send().await.expect(StatusCode::OK);
        let one = &log.body["data"][0];
        assert_eq!((&one["status"], &one["attempts"]), (&json!("delivered"), &json!(2)));

        let rotated = app.post(&format!("{path}/rotate-secret")).bearer(&admin).send().await.expect(StatusCode::OK);
        let resend = format!("/api/webhook-deliveries/{}/resend", one["id"].as_str().unwrap());
        app.post(&resend).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.post(&resend).bearer(&admin).send().await.problem(StatusCode::CONFLICT, "webhook_under_way");
        app.run_jobs().await;
        let last = receiver.requests().pop().unwrap();
        assert_eq!(receiver.requests().len(), 3);
        assert!(is_signed(&app, &last, &secret) && is_signed(&app, &last, &rotated.text("/secret")));
        app.post(&format!("{path}/disable")).bearer(&admin).send().await.expect(StatusCode::OK);
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(receiver.requests().len(), 3, "it is switched off");
        app.delete(&path).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.get(&path).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "webhook_endpoint_not_found");
        app.stop().await;
    }

    async fn no_webhook_goes_to_an_address_inside(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        for url in [
            "https://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/",
            "https://[fd00:ec2::254]/",
            "https://metadata.google.internal/",
            "http://partner.example.com/",
            "https://user:pass@partner.example.com/",
            "file:///etc/passwd",
            "partner.example.com",
        ] {
            let body = json!({ "url": url, "topics": ["*"] });
            let refused = app.post("/api/webhooks").bearer(&admin).json(&body).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["url"], "{url}");
        }
        let body = json!({ "url": "https://partner.example.com/", "topics": ["Wallet"] });
        let refused = app.post("/api/webhooks").bearer(&admin).json(&body).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["topics.0"]);
        app.stop().await;
    }
}
