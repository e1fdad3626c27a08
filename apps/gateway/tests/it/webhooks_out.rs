//! Webhooks out over HTTP: to a server of somebody else's, signed, repeated until it takes them, and never inside.

use chrono::TimeDelta;
use kernel::{Clock, Role};
use notify::verify_hook_signature;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::realtime::{bonus, relay};
use crate::support::{Session, TestApp};
use testkit::receiver::{Receiver, Request};

async fn webhook(app: &TestApp, admin: &Session, receiver: &Receiver) -> (String, String) {
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

on_every_engine! { Scope::All =>
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
