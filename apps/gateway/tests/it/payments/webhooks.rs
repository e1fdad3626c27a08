//! What the provider reports: believed by its signature alone, in any order, any number of times.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::StatusCode;
use sandbox::{Checkout, Pay, PayOutcome, WebhookBehaviour};
use serde_json::{Value, json};
use testkit::{Scope, TestDb, on_every_engine};

use super::{WEBHOOK_SECRET, event, fresh_key, signature};
use crate::support::{Session, TestApp};

/// How many webhooks are on record.
async fn on_record(db: &TestDb) -> i64 {
    use sea_orm::ConnectionTrait;
    let select = db.engine().statement("SELECT COUNT(*) AS n FROM webhook_events", []);
    db.reader().unwrap().query_one_raw(select).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// How many webhooks are how far.
async fn states(db: &TestDb) -> Vec<(String, i64)> {
    use sea_orm::ConnectionTrait;
    let sql = "SELECT state, COUNT(*) AS n FROM webhook_events GROUP BY state ORDER BY state";
    let rows = db.reader().unwrap().query_all_raw(db.engine().statement(sql, [])).await.unwrap();
    rows.iter().map(|row| (row.try_get("", "state").unwrap(), row.try_get("", "n").unwrap())).collect()
}

on_every_engine! { Scope::All =>
    async fn webhook_only_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.told(&event("payment.captured", &checkout)).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn failed_then_captured_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let late = app.razorpay().pay(&order, &Pay::with(PayOutcome::Late).without_webhooks()).unwrap();
        app.told(&event("payment.failed", &late)).await;
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.razorpay().settle(&late.payment_id).unwrap();
        app.told(&event("payment.captured", &late)).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        // The old news comes once more.
        app.told(&event("payment.failed", &late)).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// The signature is over the raw bytes: written otherwise, the same JSON is another body.
    async fn a_pretty_printed_webhook_passes_and_its_compact_form_fails(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let compact = event("payment.captured", &checkout);
        let parsed: Value = serde_json::from_str(&compact).unwrap();
        let pretty = serde_json::to_string_pretty(&parsed).unwrap();
        let signed = signature(WEBHOOK_SECRET, pretty.as_bytes());
        let send = |body: &str| {
            app.post("/api/payments/webhook")
                .header("x-razorpay-signature", &signed)
                .header("x-razorpay-event-id", "evt_1")
                .raw("application/json", body.to_owned())
                .send()
        };
        send(&compact).await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        assert_eq!(on_record(db).await, 0);
        send(&pretty).await.expect(StatusCode::OK);
        assert_eq!(on_record(db).await, 1);
        app.stop().await;
    }

    /// Invariant 20: nothing that the provider did not sign leaves a trace.
    async fn an_altered_byte_a_wrong_secret_or_no_signature_leaves_no_row(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let body = event("payment.captured", &app.paid(&buyer, 50_000).await);
        let altered = body.replacen("captured", "Captured", 1);
        let genuine = signature(WEBHOOK_SECRET, body.as_bytes());
        let shortened: String = genuine.chars().skip(1).collect();
        let wrong = signature("another-secret", body.as_bytes());
        for (body, signed) in [(&altered, genuine.as_str()), (&body, wrong.as_str()), (&body, &shortened), (&body, "")] {
            let call = app.post("/api/payments/webhook").header("x-razorpay-event-id", "evt_1");
            let call = call.header("x-razorpay-signature", signed).raw("application/json", body.clone());
            call.send().await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        }
        let unsigned = app.post("/api/payments/webhook").raw("application/json", body.clone());
        unsigned.send().await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        assert_eq!(on_record(db).await, 0);
        app.stop().await;
    }

    async fn a_webhook_signed_with_the_previous_secret_counts(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.razorpay.previous_webhook_secret = Some("the-secret-before".to_owned().into());
        })
        .await;
        let buyer = app.member().await;
        let body = event("payment.captured", &app.paid(&buyer, 50_000).await);
        app.webhook(&body, "evt_1", "the-secret-before").send().await.expect(StatusCode::OK);
        app.run_jobs().await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn webhooks_in_every_order_any_number_of_times_end_alike(db: TestDb) {
        let app = TestApp::start(db).await;
        let kinds = ["payment.authorized", "payment.captured", "order.paid"];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let buyer = app.member().await;
            let checkout = app.paid(&buyer, 50_000).await;
            for kind in order.iter().chain(&order) {
                app.told(&event(kinds[*kind], &checkout)).await;
            }
            assert_eq!(app.purses(&buyer).await, (50_000, 0, 0), "{order:?}");
        }
        app.stop().await;
    }

    async fn a_webhook_that_comes_again_is_written_down_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let body = event("payment.captured", &app.paid(&buyer, 50_000).await);
        let again = join_all((0..16).map(|_| app.webhook(&body, "evt_same", WEBHOOK_SECRET).send())).await;
        assert!(again.iter().all(|answer| answer.status == 200));
        assert_eq!(on_record(db).await, 1);
        app.stop().await;
    }

    /// The provider made the order and the payment; its answer to us is lost, and the webhook is quicker than the look.
    async fn a_webhook_before_the_create_answer_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        // Lost are the answer and every look for it.
        app.fault(&json!({ "target": "razorpay", "drop": true, "after": true })).await;
        app.order(&buyer, 50_000, "k").send().await.problem(StatusCode::SERVICE_UNAVAILABLE, "payment_provider_unavailable");
        app.no_faults().await;
        let order = app.razorpay().orders()[0]["id"].as_str().unwrap().to_owned();
        let checkout = app.razorpay().pay(&order, &Pay::success().without_webhooks()).unwrap();
        app.told(&event("payment.captured", &checkout)).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        let found = app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
        assert_eq!((found.text("/razorpayOrderId"), app.razorpay().orders().len()), (order, 1));
        app.stop().await;
    }

    async fn a_webhook_about_what_nobody_knows_is_taken_and_passed_over(db: TestDb) {
        let app = TestApp::start(db).await;
        let unknown = Checkout { order_id: "order_Unknown".into(), payment_id: "pay_Unknown".into(), signature: None };
        for kind in ["payment.captured", "settlement.processed", "something.new"] {
            app.told(&event(kind, &unknown)).await;
        }
        app.told("{}").await;
        app.told("no JSON at all").await;
        assert_eq!(states(db).await, [("ignored", 2), ("new", 3)].map(|(state, n)| (state.to_owned(), n)));
        for _ in 0..8 {
            app.clock.advance(TimeDelta::minutes(30));
            app.run_jobs().await;
        }
        assert_eq!(states(db).await, [("ignored".to_owned(), 5)], "nothing is left to be tried again");
        app.stop().await;
    }

    /// The provider's reads lag behind its webhooks: what it told of is not to be seen yet, or the payment not at all.
    async fn a_webhook_that_is_quicker_than_what_can_be_read_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let late = app.razorpay().pay(&order, &Pay::with(PayOutcome::Late).without_webhooks()).unwrap();
        app.told(&event("payment.captured", &late)).await;
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.razorpay().settle(&late.payment_id).unwrap();
        app.clock.advance(TimeDelta::seconds(20));
        app.run_jobs().await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        assert_eq!(states(db).await, [("done".to_owned(), 1)]);
        app.stop().await;
    }

    async fn a_webhook_whose_payment_the_provider_refuses_to_show_at_first_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "error": 404, "call": "read" })).await;
        app.told(&event("payment.captured", &checkout)).await;
        for _ in 0..3 {
            app.clock.advance(TimeDelta::minutes(2));
            app.run_jobs().await;
        }
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        assert_eq!(states(db).await, [("new".to_owned(), 1)]);
        app.no_faults().await;
        app.clock.advance(TimeDelta::minutes(4));
        app.run_jobs().await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn a_webhook_is_read_up_to_a_mebibyte(db: TestDb) {
        let app = TestApp::start(db).await;
        let large = json!({ "event": "something.new", "padding": "x".repeat(600_000) }).to_string();
        app.webhook(&large, "evt_1", WEBHOOK_SECRET).send().await.expect(StatusCode::OK);
        let larger = json!({ "event": "something.new", "padding": "x".repeat(1 << 20) }).to_string();
        app.webhook(&larger, "evt_2", WEBHOOK_SECRET).send().await.problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
        app.stop().await;
    }

    /// While the provider cannot be asked, a webhook waits; it is worked off when the provider is back.
    async fn a_webhook_outlives_the_providers_outage(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "error": 503 })).await;
        app.told(&event("payment.captured", &checkout)).await;
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.no_faults().await;
        app.clock.advance(TimeDelta::hours(1));
        app.state.market.work_off_webhooks().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// Whatever is wrong on our side is for the provider to try again.
    async fn a_webhook_that_finds_the_database_down_is_asked_to_come_again(db: TestDb) {
        let app = TestApp::start(db).await;
        let nobody = Checkout { order_id: "order_1".into(), payment_id: "pay_1".into(), signature: None };
        let body = event("payment.captured", &nobody);
        app.state.db.clone().close().await.unwrap();
        let answer = app.webhook(&body, "evt_1", WEBHOOK_SECRET).send().await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        app.webhook(&body, "evt_1", "another-secret").send().await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        app.stop().await;
    }

    /// A thousand at once, while orders are being created, with limits of a few: every one is taken.
    async fn webhook_burst_1000_all_2xx(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.server.max_concurrent_requests = 64;
            config.rate_limit.enabled = true;
            config.rate_limit.general_per_minute = 200;
            config.rate_limit.auth_per_minute = 200;
            config.rate_limit.otp_per_minute = 200;
        })
        .await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let body = event("payment.captured", &checkout);
        let burst = join_all((0..1_000).map(|n| app.webhook(&body, &format!("evt_{n}"), WEBHOOK_SECRET).send()));
        let orders = join_all((0..16).map(|_| order(&app, &buyer)));
        let (answers, orders) = tokio::join!(burst, orders);
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).map(|answer| answer.status).collect();
        assert!(refused.is_empty(), "{refused:?}");
        assert_eq!(orders, vec![201; 16]);
        assert_eq!(on_record(db).await, 1_000);
        app.run_jobs().await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// As the provider really sends them: duplicated, delayed and out of order, over a real socket.
    async fn the_providers_own_webhooks_credit_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let desk = app.razorpay();
        desk.webhooks_to(&format!("{}/api/payments/webhook", app.base)).unwrap();
        desk.behave(WebhookBehaviour { duplicate: 3, shuffle: true, ..WebhookBehaviour::default() });
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        desk.pay(&order, &Pay::success()).unwrap();
        desk.webhooks_sent().await;
        app.run_jobs().await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }
}

async fn order(app: &TestApp, buyer: &Session) -> u16 {
    app.order(buyer, 10_000, &fresh_key()).send().await.status
}
