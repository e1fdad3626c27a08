//! Several relays at once: a subject's order holds, a relay that dies loses nothing, one that was paused has no say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::Ambient;
use store::{Database, OutboxEvent, Relay, RelayConfig, Sink, SinkError};
use testkit::{FakeClock, Scope, on_every_engine};
use tokio::sync::Notify;

use crate::outbox::{Told, append, event};
use crate::support::{SHORT, another_process, count, until};

const SUBJECTS: i64 = 12;
const EVENTS: i64 = 15;

/// Takes its time, and fails every third call.
#[derive(Default)]
struct Shaky {
    calls: AtomicUsize,
    told: Mutex<BTreeMap<String, Vec<i64>>>,
}

#[async_trait]
impl Sink for Shaky {
    async fn deliver(&self, event: &OutboxEvent) -> Result<(), SinkError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_micros(u64::try_from(call % 7).unwrap() * 300)).await;
        if call.is_multiple_of(3) {
            return Err(SinkError::Refused("not now".to_owned()));
        }
        let n = event.payload["n"].as_i64().unwrap();
        self.told.lock().unwrap().entry(event.subject.clone()).or_default().push(n);
        Ok(())
    }
}

/// Waits at its door until it is let through.
#[derive(Default)]
struct Gate {
    entered: Notify,
    open: Notify,
}

#[async_trait]
impl Sink for Gate {
    async fn deliver(&self, _: &OutboxEvent) -> Result<(), SinkError> {
        self.entered.notify_one();
        self.open.notified().await;
        Ok(())
    }
}

/// While the first event is told, somebody commits one that was due before it.
struct Overtaken {
    is_over: AtomicBool,
    told: Told,
    late: Database,
    ambient: Ambient,
}

#[async_trait]
impl Sink for Overtaken {
    async fn deliver(&self, told: &OutboxEvent) -> Result<(), SinkError> {
        if !self.is_over.swap(true, Ordering::SeqCst) {
            // As a task: the relay does not go on with a delivery while it settles others, and SQLite has one writer.
            let (late, ambient) = (self.late.clone(), self.ambient.clone());
            tokio::spawn(async move { append(&late, &ambient, &[event("late", 1)]).await }).await.unwrap();
        }
        self.told.deliver(told).await
    }
}

on_every_engine! { Scope::Store =>
    /// A relay that has found much looks on from there. Nobody wakes it for what another process commits.
    async fn what_is_committed_late_is_told_before_the_relay_rests(db: TestDb) {
        let at = |moment| testkit::ambient(&FakeClock::at(moment));
        let (now, before) = (at("2026-01-01T00:00:10Z"), at("2026-01-01T00:00:00Z"));
        let many: Vec<_> = (0..20).map(|n| event(&format!("s{n}"), n)).collect();
        append(db, &now, &many).await;
        let told = Told::default();
        let late = another_process(db).await;
        let is_over = AtomicBool::new(false);
        let sink = Arc::new(Overtaken { is_over, told: told.clone(), late, ambient: before });
        let config = RelayConfig { poll: Duration::from_secs(3_600), ..RelayConfig::default() };
        let relay = Relay::new(db.database().clone(), now, config, sink);
        let running = tokio::spawn(async move { relay.run(std::future::pending()).await });
        until("the late one is told", async || told.all().contains(&("late".to_owned(), 1))).await;
        assert_eq!(told.all().len(), 21);
        running.abort();
    }

    /// A third of all deliveries fails, and yet nobody hears a later event before an earlier one.
    async fn three_relays_keep_each_subjects_order(db: TestDb) {
        let ambient = Ambient::system();
        for n in 0..EVENTS {
            let events: Vec<_> = (0..SUBJECTS).map(|subject| event(&format!("s{subject}"), n)).collect();
            append(db, &ambient, &events).await;
        }
        let sink = Arc::new(Shaky::default());
        let config = RelayConfig {
            batch: 5,
            poll: Duration::from_millis(5),
            max_attempts: 100,
            backoff: SHORT,
            ..RelayConfig::default()
        };
        let mut relays = Vec::new();
        for _ in 0..3 {
            let process = another_process(db).await;
            let sink: Arc<dyn Sink> = Arc::<Shaky>::clone(&sink);
            let relay = Relay::new(process, ambient.clone(), config, sink);
            relays.push(tokio::spawn(async move { relay.run(std::future::pending()).await }));
        }
        until("all is told", async || count(db, "outbox_events WHERE relayed_at IS NULL").await == 0).await;
        relays.iter().for_each(tokio::task::JoinHandle::abort);
        let told = sink.told.lock().unwrap();
        assert_eq!(told.len(), usize::try_from(SUBJECTS).unwrap());
        for (subject, order) in told.iter() {
            assert_eq!(*order, (0..EVENTS).collect::<Vec<_>>(), "{subject}");
        }
    }

    async fn what_a_dead_relay_held_is_told_by_another(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        append(db, &ambient, &[event("a", 1), event("a", 2)]).await;
        let gate = Arc::new(Gate::default());
        let sink: Arc<dyn Sink> = Arc::<Gate>::clone(&gate);
        let dying = Relay::new(another_process(db).await, ambient.clone(), RelayConfig::default(), sink);
        let running = tokio::spawn(async move { dying.run_once().await });
        gate.entered.notified().await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());

        let told = Told::default();
        let config = RelayConfig::default();
        let other = Relay::new(db.database().clone(), ambient.clone(), config, Arc::new(told.clone()));
        assert_eq!(other.run_once().await.unwrap(), 0, "the lease still holds, and the next one waits for its turn");
        clock.advance(TimeDelta::from_std(config.lease).unwrap());
        while other.run_once().await.unwrap() > 0 {}
        assert_eq!(told.all(), [("a".to_owned(), 1), ("a".to_owned(), 2)]);
    }

    async fn a_paused_relay_cannot_settle_an_event_that_another_took(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        append(db, &ambient, &[event("a", 1)]).await;
        let relay = |gate: &Arc<Gate>| {
            let sink: Arc<dyn Sink> = Arc::<Gate>::clone(gate);
            let relay = Relay::new(db.database().clone(), ambient.clone(), RelayConfig::default(), sink);
            tokio::spawn(async move { relay.run_once().await.unwrap() })
        };
        let (first_gate, second_gate) = (Arc::new(Gate::default()), Arc::new(Gate::default()));
        let first = relay(&first_gate);
        first_gate.entered.notified().await;
        clock.advance(TimeDelta::seconds(31));
        let second = relay(&second_gate);
        second_gate.entered.notified().await;

        first_gate.open.notify_one();
        assert_eq!(first.await.unwrap(), 1);
        let pending = "outbox_events WHERE relayed_at IS NULL AND attempt = 2 AND lease_owner IS NOT NULL";
        assert_eq!(count(db, pending).await, 1, "the first has no say any more");
        second_gate.open.notify_one();
        assert_eq!(second.await.unwrap(), 1);
        assert_eq!(count(db, "outbox_events WHERE relayed_at IS NOT NULL").await, 1);
    }
}
