//! Streams: their numbers, what is to be had again, and the relay that tells them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::Ambient;
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::{
    Backoff, Database, Missed, NewEntry, OutboxEvent, Relay, RelayConfig, Sink, SinkError, StoreError,
    StreamEntry, append_to_streams_in_txn, dead_event, dead_events, entries_after, forget_stream_entries,
    outbox_lag, revive_dead_event, stream_heads,
};
use testkit::{FakeClock, Scope, on_every_engine};

use crate::outbox::{append, event};
use crate::support::{another_process, count, until};

fn entry(ambient: &Ambient, stream: &str, n: i64) -> NewEntry {
    NewEntry {
        stream: stream.to_owned(),
        name: "thing:changed".to_owned(),
        payload: json!({ "n": n }),
        event: ambient.new_id(),
        at: ambient.now(),
    }
}

async fn tell(db: &Database, entries: Vec<NewEntry>) -> Vec<StreamEntry> {
    db.in_txn(async |txn| append_to_streams_in_txn(txn, entries.clone()).await).await.unwrap()
}

async fn missed(db: &Database, stream: &str, after: i64, most: usize) -> Missed {
    entries_after(db.reader().unwrap(), stream, after, most).await.unwrap()
}

fn numbers(missed: &Missed) -> Vec<i64> {
    match missed {
        Missed::Entries(entries) => entries.iter().map(|entry| entry.seq).collect(),
        Missed::Resync { head } => panic!("resync at {head}"),
    }
}

/// Tells each event to the stream of its subject; an event may ask to fail.
#[derive(Default)]
struct Telling {
    passed_on: Mutex<Vec<(String, i64)>>,
}

#[async_trait]
impl Sink for Telling {
    async fn write_in_txn(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<Vec<StreamEntry>, SinkError> {
        let mut entries = Vec::new();
        for event in events {
            entries.push(NewEntry {
                stream: event.subject.clone(),
                name: event.kind.clone(),
                payload: event.payload.clone(),
                event: event.id,
                at: event.at,
            });
        }
        let told = append_to_streams_in_txn(txn, entries).await?;
        // After the write, so that what is refused must have been rolled back.
        if events.iter().any(|event| event.payload["n"] == json!(-1)) {
            return Err(SinkError::Refused("not this one".to_owned()));
        }
        Ok(told)
    }

    fn tell(&self, entries: Vec<StreamEntry>) {
        let passed = entries.into_iter().map(|entry| (entry.told.stream, entry.seq));
        self.passed_on.lock().unwrap().extend(passed);
    }
}

fn relay(db: &Database, ambient: &Ambient, config: RelayConfig, sink: &Arc<Telling>) -> Relay {
    let sink: Arc<dyn Sink> = Arc::<Telling>::clone(sink);
    Relay::new(db.clone(), ambient.clone(), config, sink)
}

on_every_engine! { Scope::Store =>
    /// More streams than one statement tells, some of them with a head already.
    async fn a_crowd_is_told_at_once_each_stream_by_its_own_numbers(db: TestDb) {
        let ambient = Ambient::system();
        let streams: Vec<_> = (0..1_100).map(|n| format!("user:{n:04}")).collect();
        tell(db, streams.iter().step_by(3).map(|stream| entry(&ambient, stream, 0)).collect()).await;
        let entries = streams.iter().flat_map(|stream| [1, 2].map(|n| entry(&ambient, stream, n))).collect();
        let told = tell(db, entries).await;
        assert_eq!(told.len(), 2 * streams.len());
        for (index, pair) in told.chunks(2).enumerate() {
            let before = i64::from(index % 3 == 0);
            let numbers: Vec<_> = pair.iter().map(|one| (one.told.stream.as_str(), one.seq)).collect();
            assert_eq!(numbers, [(streams[index].as_str(), before + 1), (streams[index].as_str(), before + 2)]);
        }
        for index in [0, 1, 499, 500, 999, 1_099] {
            let kept = numbers(&missed(db, &streams[index], 0, 10).await);
            assert_eq!(kept, (1..=2 + i64::from(index % 3 == 0)).collect::<Vec<_>>());
        }
    }

    async fn a_stream_numbers_what_it_is_told_without_gaps(db: TestDb) {
        let ambient = Ambient::system();
        let told = tell(db, vec![entry(&ambient, "b", 1), entry(&ambient, "a", 1), entry(&ambient, "b", 2)]).await;
        let seqs: Vec<_> = told.iter().map(|entry| (entry.told.stream.as_str(), entry.seq)).collect();
        assert_eq!(seqs, [("b", 1), ("a", 1), ("b", 2)]);
        tell(db, vec![entry(&ambient, "b", 3)]).await;
        assert!(tell(db, vec![]).await.is_empty());
        let rolled_back: Result<(), StoreError> = db
            .in_txn(async |txn| {
                append_to_streams_in_txn(txn, vec![entry(&ambient, "b", 9)]).await?;
                Err(StoreError::LeaseLost)
            })
            .await;
        assert!(rolled_back.is_err());
        let all = missed(db, "b", 0, 100).await;
        assert_eq!(numbers(&all), [1, 2, 3]);
        let Missed::Entries(all) = all else { unreachable!() };
        assert_eq!(all[0].told.payload, json!({"n": 1}));
        assert_eq!(all[0].told.event, told[0].told.event);
        let heads = stream_heads(db.reader().unwrap(), &["a".into(), "b".into(), "never".into()]).await.unwrap();
        assert_eq!((heads["a"], heads["b"], heads["never"]), (1, 3, 0));
    }

    async fn what_is_not_to_be_had_is_a_resync_and_never_a_part(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        tell(db, (1..=3).map(|n| entry(&ambient, "a", n)).collect()).await;
        clock.advance(TimeDelta::days(3));
        tell(db, (4..=6).map(|n| entry(&ambient, "a", n)).collect()).await;
        let before = ambient.now() - TimeDelta::days(1);
        assert_eq!(db.in_txn(async |txn| forget_stream_entries(txn, before).await).await.unwrap(), 3);

        assert_eq!(numbers(&missed(db, "a", 3, 10).await), [4, 5, 6]);
        assert_eq!(numbers(&missed(db, "a", 6, 10).await), [0_i64; 0]);
        assert_eq!(missed(db, "a", 2, 10).await, Missed::Resync { head: 6 }, "3 is forgotten");
        assert_eq!(missed(db, "a", 3, 2).await, Missed::Resync { head: 6 }, "more than was asked for");
        assert_eq!(missed(db, "a", 7, 10).await, Missed::Resync { head: 6 }, "a number that was never given");
        assert_eq!(missed(db, "a", -1, 10).await, Missed::Resync { head: 6 });
        assert_eq!(numbers(&missed(db, "never", 0, 10).await), [0_i64; 0]);
    }

    /// Sixteen transactions at once tell two streams in opposite orders: no number is given twice or left out, and
    /// whoever reads while they commit never sees 2 before 1.
    async fn numbers_grow_in_the_order_of_commits(db: TestDb) {
        let ambient = Ambient::system();
        let mut tellers = Vec::new();
        for teller in 0..16_i64 {
            let (process, ambient) = (another_process(db).await, ambient.clone());
            tellers.push(tokio::spawn(async move {
                for n in 0..5 {
                    let mut entries = vec![entry(&ambient, "a", n), entry(&ambient, "b", n)];
                    if teller % 2 == 0 {
                        entries.reverse();
                    }
                    tell(&process, entries).await;
                }
            }));
        }
        let mut seen = 0;
        while seen < 80 {
            for seq in numbers(&missed(db, "a", seen, 1_000).await) {
                assert_eq!(seq, seen + 1, "no gap, ever");
                seen = seq;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for teller in tellers {
            teller.await.unwrap();
        }
        assert_eq!(numbers(&missed(db, "b", 0, 1_000).await), (1..=80).collect::<Vec<_>>());
    }

    async fn what_the_relay_writes_is_written_once_and_a_refusal_takes_nothing_else_along(db: TestDb) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z");
        let ambient = testkit::ambient(&clock);
        let sink = Arc::new(Telling::default());
        let config = RelayConfig {
            max_attempts: 2,
            backoff: Backoff { base: Duration::from_secs(10), cap: Duration::from_secs(10) },
            ..RelayConfig::default()
        };
        let relay = relay(db, &ambient, config, &sink);
        let ids = append(db, &ambient, &[event("a", 1), event("b", -1), event("c", 1)]).await;
        while relay.run_once().await.unwrap() > 0 {}
        assert_eq!(count(db, "stream_entries").await, 2, "b was rolled back, a and c were not");
        assert_eq!(count(db, "outbox_events WHERE relayed_at IS NOT NULL").await, 2);
        let mut passed = sink.passed_on.lock().unwrap().clone();
        passed.sort();
        assert_eq!(passed, [("a".to_owned(), 1), ("c".to_owned(), 1)]);
        assert_eq!(outbox_lag(db.reader().unwrap()).await.unwrap().oldest, Some(ambient.now()));

        clock.advance(TimeDelta::seconds(10));
        while relay.run_once().await.unwrap() > 0 {}
        let dead = dead_events(db.reader().unwrap(), 10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].id, dead[0].attempts, dead[0].last_error.as_deref()), (ids[1], 2, Some("not this one")));
        let lag = outbox_lag(db.reader().unwrap()).await.unwrap();
        assert_eq!((lag.oldest, lag.dead), (None, 1));

        // Whoever mended the cause offers it again.
        let mend = "UPDATE outbox_events SET payload = '{\"n\": 7}' WHERE dead_at IS NOT NULL";
        sea_orm::ConnectionTrait::execute_unprepared(db.database().schema_connection(), mend).await.unwrap();
        let revive = async |id| {
            db.in_txn(async |txn| {
                let there = dead_event(txn, id).await?.is_some();
                assert_eq!(revive_dead_event(txn, id, ambient.now()).await?, there);
                Ok::<_, StoreError>(there)
            })
            .await
            .unwrap()
        };
        assert!(!revive(ids[0]).await, "what was told is not told again");
        assert!(revive(ids[1]).await);
        assert!(!revive(ids[1]).await);
        while relay.run_once().await.unwrap() > 0 {}
        assert_eq!(numbers(&missed(db, "b", 0, 10).await), [1]);
        assert_eq!(outbox_lag(db.reader().unwrap()).await.unwrap(), store::Lag::default());
    }

    /// Two relays, one of which dies between taking and writing again and again: each event is told to its stream once.
    async fn however_often_relays_die_each_event_is_told_once(db: TestDb) {
        let ambient = Ambient::system();
        for n in 1..=10 {
            append(db, &ambient, &[event("a", n), event("b", n), event("c", n)]).await;
        }
        let config = RelayConfig { lease: Duration::from_millis(40), batch: 2, ..RelayConfig::default() };
        let sink = Arc::new(Telling::default());
        let mut lives = 0;
        let all = async || count(db, "outbox_events WHERE relayed_at IS NULL").await == 0;
        while !all().await {
            lives += 1;
            // A process that dies takes its connections with it.
            let own = another_process(db).await;
            let relay = relay(&own, &ambient, config, &sink);
            let running = tokio::spawn(async move { relay.run(std::future::pending()).await });
            // Lives grow longer: on a slow engine the first ones are too short to get anything done.
            tokio::time::sleep(Duration::from_millis(5 + lives * 7 % (13 + lives))).await;
            running.abort();
            assert!(lives < 5_000);
        }
        until("all is told", all).await;
        for stream in ["a", "b", "c"] {
            let Missed::Entries(entries) = missed(db, stream, 0, 100).await else { panic!("a resync") };
            let told: Vec<_> = entries.iter().map(|entry| entry.told.payload["n"].as_i64().unwrap()).collect();
            assert_eq!(told, (1..=10).collect::<Vec<_>>(), "{stream}");
        }
    }
}
