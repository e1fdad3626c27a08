//! A client that is cut off again and again while events flow, from the outbox through the relay and the streams to its
//! socket: every number of its stream comes in its order, or is passed over by an explicit resync.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use kernel::ListingId;
use serde_json::{Value, json};
use store::{NewEvent, Relay, RelayConfig, append_events_in_txn, stream_heads};
use testkit::{Scope, on_every_engine};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Heard};
use super::{relay, user_stream};
use crate::support::{Session, TestApp};

/// Subjects that events are about; the relay delivers one of each at a time.
const SUBJECTS: usize = 64;
/// By how much what is told may be ahead of what the client has heard while it is connected.
const AHEAD: i64 = 250;
/// One cut in so many lasts until more was missed than a client is told one by one.
const LONG: u64 = 20;

/// How much of it: `DGT_LIVE_EVENTS` and `DGT_LIVE_CUTS`; little by default.
fn amount(name: &str, default: i64) -> i64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Choices that a run can be repeated with: `SEED`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// How far the client is, for whoever writes events.
#[derive(Default)]
struct Progress {
    heard: AtomicI64,
    is_away: AtomicBool,
}

/// Writes so many events about listings of this seller, never far ahead of a client that is there.
async fn write_events(app: &TestApp, seller: &str, events: i64, progress: &Progress) {
    let listings: Vec<String> =
        (0..SUBJECTS).map(|_| ListingId::from(app.state.ambient.new_uuid()).to_string()).collect();
    let mut written = 0;
    while written < events {
        while written - progress.heard.load(Ordering::Acquire) > AHEAD
            && !progress.is_away.load(Ordering::Acquire)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let batch: Vec<NewEvent> = listings
            .iter()
            .zip(written..events)
            .map(|(listing, number)| NewEvent {
                subject: format!("listing:{listing}"),
                kind: "listing.updated",
                payload: json!({
                    "listingId": listing, "sellerId": seller, "status": "ACTIVE", "title": number.to_string(),
                }),
            })
            .collect();
        written += i64::try_from(batch.len()).unwrap();
        let ambient = &app.state.ambient;
        let append = async |txn: &_| append_events_in_txn(txn, ambient, batch.clone()).await;
        app.state.db.in_txn(append).await.unwrap();
    }
}

/// What somebody has heard of their stream, and what was wrong with it.
struct Listener<'a> {
    app: &'a TestApp,
    session: &'a Session,
    stream: String,
    progress: &'a Progress,
    last: i64,
    /// The last event of each listing, by its number among all.
    by_listing: HashMap<String, i64>,
    heard: i64,
    passed_over: i64,
    resyncs: i64,
    recovered: i64,
}

impl Listener<'_> {
    fn take(&mut self, heard: &Heard) {
        match heard.name.as_str() {
            "listing:updated" => {
                assert_eq!(heard.meta["stream"], json!(self.stream));
                if heard.seq() <= self.last {
                    return;
                }
                assert_eq!(heard.seq(), self.last + 1, "a gap that nobody told of");
                let listing = heard.payload["listingId"].as_str().unwrap().to_owned();
                let number: i64 = heard.payload["title"].as_str().unwrap().parse().unwrap();
                let before = self.by_listing.insert(listing, number);
                assert!(before.is_none_or(|before| before < number), "{before:?} came before {number}");
                self.heard += 1;
                self.stand_at(heard.seq());
            }
            "ready" => {
                let told = heard.payload["streams"][&self.stream].clone();
                self.resync(&told);
            }
            "resync" => {
                assert_eq!(heard.payload["stream"], json!(self.stream));
                let told = json!({ "seq": heard.payload["seq"], "resync": true });
                self.resync(&told);
            }
            // The session's beginning is told too.
            _ => self.stand_at(self.last.max(heard.meta["seq"].as_i64().unwrap_or(0))),
        }
    }

    fn resync(&mut self, told: &Value) {
        if told["resync"] == json!(true) {
            let seq = told["seq"].as_i64().unwrap();
            self.resyncs += 1;
            self.passed_over += seq - self.last;
            self.stand_at(seq);
        }
    }

    fn stand_at(&mut self, seq: i64) {
        self.last = seq;
        self.progress.heard.store(seq, Ordering::Release);
    }

    /// Comes back, by number alone or by what the connection was given too, and hears until everything missed was told.
    async fn connect(&mut self, pid: Option<(Value, Value)>) -> Client {
        let mut auth = json!({ "token": self.session.access, "after": { self.stream.clone(): self.last } });
        if let Some((pid, offset)) = pid.filter(|(pid, offset)| pid.is_string() && offset.is_string()) {
            auth["pid"] = pid;
            auth["offset"] = offset;
        }
        let mut client = Client::connect(self.app, &auth).await.unwrap();
        let mut before = Vec::new();
        loop {
            let heard = client.next().await;
            if heard.name == "ready" {
                // A stream that has begun goes on while others begin: what is passed over of it is told now.
                self.take(&heard);
                before.iter().for_each(|heard| self.take(heard));
                self.recovered += i64::from(heard.payload["streams"].as_object().unwrap().is_empty());
                return client;
            }
            before.push(heard);
        }
    }

    async fn head(&self) -> i64 {
        let streams = [self.stream.clone()];
        let heads = stream_heads(self.app.state.db.reader().unwrap(), &streams).await.unwrap();
        heads[&self.stream]
    }

    /// Is cut so many times, at random moments, and then hears the rest.
    async fn listen(&mut self, events: i64, cuts: i64, dice: &mut Dice) {
        let most = u64::try_from(events * 6 / (cuts * 5)).unwrap();
        let mut client = self.connect(None).await;
        for cut in 1..=cuts {
            let mut offset = Value::Null;
            for _ in 0..=dice.roll(most) {
                // Until the last events are heard.
                if self.last >= events {
                    break;
                }
                let heard = client.next().await;
                self.take(&heard);
                offset = heard.offset;
            }
            let pid = std::mem::take(&mut client.pid);
            drop(client);
            let by_pid = dice.roll(2) == 0;
            if dice.roll(LONG) == 0 {
                self.stay_away(events).await;
            } else {
                tokio::time::sleep(Duration::from_millis(dice.roll(8))).await;
            }
            client = self.connect(by_pid.then_some((pid, offset))).await;
            assert!(self.last <= events + 1, "after {cut} cuts");
        }
        while self.last < events {
            let heard = client.next().await;
            self.take(&heard);
        }
        assert!(client.hears_nothing().await);
    }

    /// Until more than five hundred events were missed, or there are no more.
    async fn stay_away(&self, events: i64) {
        self.progress.is_away.store(true, Ordering::Release);
        let back_at = (self.last + 600).min(events);
        while self.head().await < back_at {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.progress.is_away.store(false, Ordering::Release);
    }
}

on_every_engine! { Scope::All =>
    async fn a_client_cut_at_random_hears_everything_in_order_or_of_a_resync(db: TestDb) {
        let (events, cuts) = (amount("DGT_LIVE_EVENTS", 5_000), amount("DGT_LIVE_CUTS", 50));
        let seed = u64::try_from(amount("SEED", 1)).unwrap();
        let app = TestApp::start(db).await;
        let session = app.member().await;
        relay(&app).await;
        let stop = CancellationToken::new();
        let sink = marketplace::Telling::new(&app.state.market, Some(app.state.live.listener()));
        let market = &app.state.market;
        let relaying = Relay::new(market.db.clone(), market.ambient.clone(), RelayConfig::default(), Arc::new(sink));
        let progress = Progress::default();
        let mut listener = Listener {
            app: &app, session: &session, stream: user_stream(&session), progress: &progress, last: 0,
            by_listing: HashMap::new(), heard: 0, passed_over: 0, resyncs: 0, recovered: 0,
        };
        // What there was before this began.
        let before = listener.head().await;
        listener.stand_at(before);
        let (live, stopped) = (app.state.live.clone(), stop.clone());
        let run = async { tokio::join!(relaying.run(stop.cancelled()), live.run(stopped)) };
        let mut dice = Dice(seed);
        let work = async {
            tokio::join!(
                write_events(&app, &session.user_id, events, &progress),
                listener.listen(before + events, cuts, &mut dice),
            );
            stop.cancel();
        };
        tokio::join!(Box::pin(run), Box::pin(work));
        assert_eq!(listener.head().await, before + events, "every event was told");
        assert_eq!(listener.heard + listener.passed_over, events, "no number is unaccounted for");
        assert!(listener.heard > events / 4 && listener.recovered > cuts / 10);
        let mut out = std::io::stderr();
        writeln!(
            out,
            "{events} events, {cuts} cuts, seed {seed}: {} heard, {} passed over by {} resyncs, {} recoveries",
            listener.heard, listener.passed_over, listener.resyncs, listener.recovered,
        ).unwrap();
        app.stop().await;
    }
}
