//! Webhooks: believed by their signature, written once, worked off by one worker at a time.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use payments::{PaymentError, Received, WEBHOOK_JOB, WebhookTarget};
use sea_orm::ConnectionTrait;
use serde_json::json;
use sha2::Sha256;
use testkit::{Domain, Scope, on_every_engine};

use crate::desk::{Desk, FORMER_WEBHOOK_SECRET, WEBHOOK_SECRET};

fn sign(secret: &str, raw: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(raw);
    hex::encode(mac.finalize().into_bytes())
}

fn body(payment: &str) -> Vec<u8> {
    let event = json!({"entity": "event", "event": "payment.captured",
        "payload": {"payment": {"entity": {"id": payment, "email": "asha@example.in", "contact": "+919876543210"}}}});
    serde_json::to_vec_pretty(&event).unwrap()
}

async fn receive(desk: &Desk, payment: &str, event: &str) -> Result<Received, PaymentError> {
    let raw = body(payment);
    desk.payments.receive_webhook(&raw, Some(&sign(WEBHOOK_SECRET, &raw)), Some(event)).await
}

async fn count(desk: &Desk, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS n FROM {table}");
    let row = desk.db.reader().unwrap().query_one_raw(desk.db.engine().statement(&sql, [])).await;
    row.unwrap().unwrap().try_get("", "n").unwrap()
}

on_every_engine! { Scope::Domain(Domain::Payments) =>
    async fn webhook_burst_1000_is_taken_in_at_once(db: TestDb) {
        let desk = Desk::new(db);
        let begin = Instant::now();
        let tasks: Vec<_> = (0..1_000)
            .map(|n| {
                let desk = desk.clone();
                tokio::spawn(async move { receive(&desk, &format!("pay_{n}"), &format!("evt_{n}")).await.unwrap() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Received::New);
        }
        let took = begin.elapsed();
        assert_eq!(count(&desk, "webhook_events").await, 1_000);
        let jobs = count(&desk, "jobs").await;
        assert!((1..=100).contains(&jobs), "{jobs} transactions for a burst of a thousand");
        assert!(took < Duration::from_secs(5), "the provider waits five seconds, and this took {took:?}");
    }

    async fn an_event_is_written_once_however_often_and_at_once_it_comes(db: TestDb) {
        let (desk, other_process) = (Desk::new(db), Desk::new(db));
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let desk = if n % 2 == 0 { desk.clone() } else { other_process.clone() };
                tokio::spawn(async move { receive(&desk, "pay_1", "evt_1").await.unwrap() })
            })
            .collect();
        let mut new = 0;
        for task in tasks {
            new += usize::from(task.await.unwrap() == Received::New);
        }
        assert!(new >= 1);
        assert_eq!(count(&desk, "webhook_events").await, 1);
        assert_eq!(receive(&desk, "pay_1", "evt_1").await.unwrap(), Received::Known);
        assert_eq!(desk.payments.claim_webhooks(9).await.unwrap().len(), 1);
    }

    async fn what_is_not_signed_by_the_provider_changes_nothing(db: TestDb) {
        let desk = Desk::new(db);
        let raw = body("pay_1");
        let right = sign(WEBHOOK_SECRET, &raw);
        let compact = serde_json::to_vec(&serde_json::from_slice::<serde_json::Value>(&raw).unwrap()).unwrap();
        let mut altered = raw.clone();
        altered[10] ^= 1;
        let wrong = sign("another secret", &raw);
        for (raw, signature) in [
            (&raw, None),
            (&raw, Some("")),
            (&raw, Some(wrong.as_str())),
            (&altered, Some(right.as_str())),
            (&compact, Some(right.as_str())),
        ] {
            let refused = desk.payments.receive_webhook(raw, signature, Some("evt_1")).await;
            assert!(matches!(refused, Err(PaymentError::BadSignature)));
        }
        assert_eq!((count(&desk, "webhook_events").await, count(&desk, "jobs").await), (0, 0));
        let former = sign(FORMER_WEBHOOK_SECRET, &raw);
        let received = desk.payments.receive_webhook(&raw, Some(&former), Some("evt_1")).await.unwrap();
        assert_eq!(received, Received::New, "retries of older events carry the former secret's signature");
    }

    async fn a_webhook_is_worked_off_by_one_worker(db: TestDb) {
        let desk = Desk::new(db);
        for n in 0..10 {
            receive(&desk, &format!("pay_{n}"), &format!("evt_{n}")).await.unwrap();
        }
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let desk = desk.clone();
                tokio::spawn(async move { desk.payments.claim_webhooks(10).await.unwrap() })
            })
            .collect();
        let mut claimed = Vec::new();
        for task in tasks {
            claimed.extend(task.await.unwrap());
        }
        claimed.sort_by(|a, b| a.event_id.cmp(&b.event_id));
        let events: Vec<_> = claimed.iter().map(|webhook| webhook.event_id.as_str()).collect();
        assert_eq!(events, (0..10).map(|n| format!("evt_{n}")).collect::<Vec<_>>());
        assert_eq!(claimed[3].target, WebhookTarget::Payment("pay_3".to_owned()));
        assert_eq!((claimed[3].event_type.as_str(), claimed[3].attempts), ("payment.captured", 1));
        for webhook in &claimed {
            let done = async |txn: &_| desk.payments.webhook_done_in_txn(txn, webhook).await;
            assert!(desk.db.in_txn(done).await.unwrap());
            assert!(!desk.db.in_txn(done).await.unwrap(), "once");
        }
        desk.pass(TimeDelta::days(1));
        assert!(desk.payments.claim_webhooks(10).await.unwrap().is_empty());
    }

    async fn a_worker_that_lost_its_lease_settles_nothing(db: TestDb) {
        let desk = Desk::new(db);
        receive(&desk, "pay_1", "evt_1").await.unwrap();
        let paused = desk.payments.claim_webhooks(9).await.unwrap().remove(0);
        desk.pass(TimeDelta::minutes(2));
        let taken = desk.payments.claim_webhooks(9).await.unwrap().remove(0);
        assert_eq!(taken.attempts, 2);
        let done = async |webhook: &payments::ClaimedWebhook| {
            desk.db.in_txn(async |txn| desk.payments.webhook_done_in_txn(txn, webhook).await).await.unwrap()
        };
        assert_eq!((done(&paused).await, done(&taken).await), (false, true));
    }

    async fn a_webhook_that_fails_comes_again_and_is_given_up_in_the_end(db: TestDb) {
        let desk = Desk::new(db);
        receive(&desk, "pay_1", "evt_1").await.unwrap();
        for attempt in 1..=30 {
            let claimed = desk.payments.claim_webhooks(9).await.unwrap();
            assert_eq!(claimed.iter().map(|webhook| webhook.attempts).collect::<Vec<_>>(), [attempt]);
            desk.payments.webhook_failed(&claimed[0], "the provider does not answer").await.unwrap();
            desk.pass(TimeDelta::hours(1));
        }
        assert!(desk.payments.claim_webhooks(9).await.unwrap().is_empty());
        let kept = desk.db.engine().statement("SELECT state, last_error FROM webhook_events", []);
        let row = desk.db.reader().unwrap().query_one_raw(kept).await.unwrap().unwrap();
        let (state, error): (String, String) = (row.try_get("", "state").unwrap(), row.try_get("", "last_error").unwrap());
        assert_eq!((state.as_str(), error.as_str()), ("dead", "the provider does not answer"));
    }

    /// Its reads may lag behind its webhooks. Tries that failed for another reason do not count.
    async fn a_webhook_whose_news_is_not_to_be_seen_is_looked_for_eight_times_and_passed_over(db: TestDb) {
        let desk = Desk::new(db);
        receive(&desk, "pay_1", "evt_1").await.unwrap();
        let claim = async || desk.payments.claim_webhooks(9).await.unwrap().pop();
        for attempt in 1..=20 {
            let claimed = claim().await.unwrap();
            assert_eq!(claimed.attempts, attempt);
            desk.payments.webhook_failed(&claimed, "the provider does not answer").await.unwrap();
            desk.pass(TimeDelta::hours(1));
        }
        for look in 1..=8 {
            let claimed = claim().await.unwrap();
            assert_eq!(claimed.attempts, 20 + look);
            let before = count(&desk, "jobs").await;
            desk.payments.webhook_unseen(&claimed, "the provider does not show it").await.unwrap();
            assert_eq!(count(&desk, "jobs").await - before, i64::from(look < 8), "a job wakes the worker for the next");
            desk.pass(TimeDelta::minutes(30));
        }
        assert!(claim().await.is_none());
        let kept = desk.db.engine().statement("SELECT state, last_error FROM webhook_events", []);
        let row = desk.db.reader().unwrap().query_one_raw(kept).await.unwrap().unwrap();
        let (state, error): (String, String) = (row.try_get("", "state").unwrap(), row.try_get("", "last_error").unwrap());
        assert_eq!((state.as_str(), error.as_str()), ("ignored", "the provider does not show it"));
    }

    async fn a_webhook_about_a_refund_keeps_which(db: TestDb) {
        let desk = Desk::new(db);
        let raw = br#"{"event": "refund.processed", "payload": {"refund": {"entity": {"id": "rfnd_1", "payment_id": "pay_1"}}}}"#;
        desk.payments.receive_webhook(raw, Some(&sign(WEBHOOK_SECRET, raw)), None).await.unwrap();
        let claimed = desk.payments.claim_webhooks(9).await.unwrap().remove(0);
        assert_eq!((claimed.target, claimed.refund.as_deref()), (WebhookTarget::Payment("pay_1".to_owned()), Some("rfnd_1")));
    }

    async fn what_was_settled_is_forgotten_and_what_waits_or_was_given_up_is_not(db: TestDb) {
        let desk = Desk::new(db);
        receive(&desk, "pay_1", "evt_1").await.unwrap();
        receive(&desk, "pay_2", "evt_2").await.unwrap();
        let claimed = desk.payments.claim_webhooks(1).await.unwrap();
        let done = async |txn: &_| desk.payments.webhook_done_in_txn(txn, &claimed[0]).await;
        assert!(desk.db.in_txn(done).await.unwrap());
        let begin = desk.ambient.now();
        let forget = async |before| {
            desk.db.in_txn(async |txn| desk.payments.forget_webhooks_in_txn(txn, before).await).await.unwrap()
        };
        assert_eq!(forget(begin).await, 0);
        assert_eq!(forget(begin + TimeDelta::days(40)).await, 1);
        assert_eq!(count(&desk, "webhook_events").await, 1);
    }

    async fn a_webhook_of_no_use_is_over_with_its_receipt(db: TestDb) {
        let desk = Desk::new(db);
        let raw = br#"{"event": "settlement.processed", "payload": {"settlement": {"entity": {"id": "setl_1"}}}}"#;
        let signature = sign(WEBHOOK_SECRET, raw);
        let receive = async || desk.payments.receive_webhook(raw, Some(&signature), None).await.unwrap();
        assert_eq!((receive().await, receive().await), (Received::New, Received::Known), "known by its digest");
        assert!(desk.payments.claim_webhooks(9).await.unwrap().is_empty());
        assert_eq!(count(&desk, "jobs").await, 0);
    }

    async fn a_job_wakes_the_worker_and_the_row_keeps_nothing_of_the_payer(db: TestDb) {
        let desk = Desk::new(db);
        let mut bell = desk.db.bell();
        bell.mark_unchanged();
        receive(&desk, "pay_1", "evt_1").await.unwrap();
        assert!(bell.has_changed().unwrap());
        let kind = desk.db.engine().statement("SELECT kind FROM jobs", []);
        let row = desk.db.reader().unwrap().query_one_raw(kind).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "kind").unwrap(), WEBHOOK_JOB);
        let all = desk.db.engine().statement("SELECT * FROM webhook_events", []);
        let row = desk.db.reader().unwrap().query_one_raw(all).await.unwrap().unwrap();
        let shown = format!("{row:?}");
        assert!(!shown.contains("asha") && !shown.contains("98765"), "{shown}");
    }
}
