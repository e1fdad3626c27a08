//! The outbox through one relay: what is told, how often, and when it is given up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{Ambient, EventId};
use serde_json::json;
use store::{
    Backoff, Database, NewEvent, OutboxEvent, Relay, RelayConfig, Sink, SinkError, StoreError,
    append_event_in_txn, append_events_in_txn, forget_relayed_events,
};
use testkit::{FakeClock, Scope, on_every_engine};

use crate::support::{count, row};

/// Writes down what it is given, and refuses events whose payload says so.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<(String, i64)>>>);

impl Told {
    pub(crate) fn all(&self) -> Vec<(String, i64)> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Sink for Told {
    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError> {
        if event.payload["refuse"] == json!(true) {
            return Err(SinkError::Refused("refused".to_owned()));
        }
        let n = event.payload["n"].as_i64().unwrap();
        self.0.lock().unwrap().push((event.subject.clone(), n));
        Ok(())
    }
}

pub(crate) fn event(subject: &str, n: i64) -> NewEvent {
    NewEvent { subject: subject.to_owned(), kind: "thing.changed", payload: json!({ "n": n }) }
}

fn poison(subject: &str) -> NewEvent {
    NewEvent { payload: json!({ "refuse": true }), ..event(subject, 0) }
}

pub(crate) async fn append(db: &Database, ambient: &Ambient, events: &[NewEvent]) -> Vec<EventId> {
    db.in_txn(async |txn| {
        let mut ids = Vec::new();
        for event in events {
            ids.push(append_event_in_txn(txn, ambient, event.clone()).await?);
        }
        Ok::<_, StoreError>(ids)
    })
    .await
    .unwrap()
}

fn config() -> RelayConfig {
    RelayConfig {
        max_attempts: 3,
        backoff: Backoff { base: Duration::from_secs(10), cap: Duration::from_secs(15) },
        ..RelayConfig::default()
    }
}

on_every_engine! { Scope::Store =>
    async fn an_event_is_told_once_with_what_was_written(db: TestDb) {
        let ambient = Ambient::system();
        let told = Told::default();
        let relay = Relay::new(db.database().clone(), ambient.clone(), config(), Arc::new(told.clone()));
        append(db, &ambient, &[event("a", 1), event("b", 1), event("a", 2)]).await;
        assert_eq!(relay.run_once().await.unwrap(), 2, "of each subject the oldest alone");
        assert_eq!(relay.run_once().await.unwrap(), 1);
        assert_eq!(relay.run_once().await.unwrap(), 0);
        let mut all = told.all();
        all.sort();
        assert_eq!(all, [("a".to_owned(), 1), ("a".to_owned(), 2), ("b".to_owned(), 1)]);
    }

    async fn events_that_are_written_at_once_are_told_in_their_order(db: TestDb) {
        let ambient = Ambient::system();
        let told = Told::default();
        let relay = Relay::new(db.database().clone(), ambient.clone(), config(), Arc::new(told.clone()));
        let events = (0..40).map(|n| event("a", n));
        db.in_txn(async |txn| append_events_in_txn(txn, &ambient, events.clone()).await).await.unwrap();
        db.in_txn(async |txn| append_events_in_txn(txn, &ambient, []).await).await.unwrap();
        while relay.run_once().await.unwrap() > 0 {}
        assert_eq!(told.all(), (0..40).map(|n| ("a".to_owned(), n)).collect::<Vec<_>>());
    }

    async fn an_event_of_a_transaction_that_rolled_back_is_never_told(db: TestDb) {
        let ambient = Ambient::system();
        let told = Told::default();
        let relay = Relay::new(db.database().clone(), ambient.clone(), config(), Arc::new(told.clone()));
        let result: Result<(), _> = db
            .in_txn(async |txn| {
                append_event_in_txn(txn, &ambient, event("a", 1)).await?;
                Err(StoreError::LeaseLost)
            })
            .await;
        assert!(result.is_err());
        append(db, &ambient, &[event("a", 2)]).await;
        while relay.run_once().await.unwrap() > 0 {}
        assert_eq!(told.all(), [("a".to_owned(), 2)]);
    }

    async fn an_event_that_cannot_be_told_is_given_up_and_its_subject_goes_on(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let told = Told::default();
        let relay = Relay::new(db.database().clone(), ambient.clone(), config(), Arc::new(told.clone()));
        append(db, &ambient, &[event("a", 1), poison("a"), event("a", 2), event("b", 1)]).await;
        while relay.run_once().await.unwrap() > 0 {}
        let so_far = vec![("a".to_owned(), 1), ("b".to_owned(), 1)];
        let mut all = told.all();
        all.sort();
        assert_eq!(all, so_far, "only its own subject waits");

        for tries in 1..3 {
            let attempts: i32 = row(db, "SELECT attempt FROM outbox_events WHERE last_error = 'refused'", [])
                .await
                .try_get("", "attempt")
                .unwrap();
            assert_eq!(attempts, tries);
            assert_eq!(count(db, "outbox_events WHERE dead_at IS NOT NULL").await, 0);
            clock.advance(TimeDelta::seconds(15));
            while relay.run_once().await.unwrap() > 0 {}
        }
        assert_eq!(count(db, "outbox_events WHERE dead_at IS NOT NULL AND relayed_at IS NULL").await, 1);
        assert!(told.all().contains(&("a".to_owned(), 2)));
        clock.advance(TimeDelta::days(1));
        assert_eq!(relay.run_once().await.unwrap(), 0, "it stays given up");
    }

    async fn old_events_are_forgotten_once_they_were_told(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let relay = Relay::new(db.database().clone(), ambient.clone(), config(), Arc::new(Told::default()));
        append(db, &ambient, &[event("a", 1), poison("b")]).await;
        relay.run_once().await.unwrap();
        clock.advance(TimeDelta::days(8));
        append(db, &ambient, &[event("c", 1)]).await;
        let before = ambient.now() - TimeDelta::days(7);
        let forgotten = db.in_txn(async |txn| forget_relayed_events(txn, before).await).await.unwrap();
        assert_eq!(forgotten, 1, "neither what is new nor what was not told");
        assert_eq!(count(db, "outbox_events").await, 2);
    }

    async fn a_commit_wakes_the_relay(db: TestDb) {
        let ambient = Ambient::system();
        let told = Told::default();
        let slow = RelayConfig { poll: Duration::from_secs(60), ..config() };
        let relay = Relay::new(db.database().clone(), ambient.clone(), slow, Arc::new(told.clone()));
        let running = tokio::spawn(async move { relay.run(std::future::pending()).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        append(db, &ambient, &[event("a", 1)]).await;
        crate::support::until("the event is told", async || !told.all().is_empty()).await;
        running.abort();
    }
}
