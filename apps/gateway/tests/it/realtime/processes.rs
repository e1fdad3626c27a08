//! Several processes: each tells its own sockets, with Redis between them, without it, and while it is away.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kernel::Role;
use reqwest::StatusCode;
use serde_json::json;
use testkit::{Scope, on_every_engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::{bonus, relay, user_stream};
use crate::support::TestApp;

/// How long it may take from the return of Redis until everything is as before.
const RECOVERY: Duration = Duration::from_secs(5);

/// A Redis of this test's own, ended with it.
struct Redis {
    port: u16,
    child: Option<Child>,
}

impl Redis {
    async fn start() -> Self {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut redis = Self { port, child: None };
        redis.launch().await;
        redis
    }

    async fn launch(&mut self) {
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--port",
                &self.port.to_string(),
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("redis-server cannot be started ({error}): `make services` installs it")
            });
        self.child = Some(child);
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "redis-server does not start");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Says a command; gives the number that its answer ends with.
    async fn say(&self, words: &[&str]) -> usize {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        let count = words.matches('$').count();
        stream.write_all(format!("*{count}\r\n{words}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\r\n") || !answer.contains(':') {
            let mut some = [0; 256];
            let length = stream.read(&mut some).await.unwrap();
            assert!(length > 0, "Redis hung up: {answer}");
            answer.push_str(std::str::from_utf8(&some[..length]).unwrap());
        }
        answer.trim_end().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// How many processes listen to each other on a channel, by its own word.
    async fn listeners(&self, channel: &str) -> usize {
        self.say(&["PUBSUB", "NUMSUB", channel]).await
    }

    async fn is_joined_by(&self, processes: usize) {
        self.is_joined_on("realtime", processes).await;
    }

    async fn is_joined_on(&self, channel: &str, processes: usize) {
        let begin = Instant::now();
        while self.listeners(channel).await != processes {
            assert!(begin.elapsed() < RECOVERY, "{processes} processes are not connected in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The loop that hears other processes, as `serve` runs it.
fn hear(app: &TestApp, stop: &CancellationToken) {
    let (live, stop) = (app.state.live.clone(), stop.clone());
    tokio::spawn(async move { live.run(stop).await });
}

/// One process writes and relays the block, the other has the socket.
async fn blocked_elsewhere(db: &testkit::TestDb, redis: Option<&Redis>) {
    let stop = CancellationToken::new();
    let url = redis.map(Redis::url);
    let here = TestApp::start_with(db, |config| config.redis.url = url.clone().map(Into::into)).await;
    let there = here.start_beside(db, |config| config.redis.url = url.clone().map(Into::into)).await;
    hear(&there, &stop);
    if let Some(redis) = redis {
        redis.is_joined_by(1).await;
    }
    let admin = here.staff(Role::Admin).await;
    let (member, other) = (here.member().await, here.member().await);
    let (mut client, _) = Client::ready(&there, &member, json!({})).await;
    let (mut bystander, _) = Client::ready(&there, &other, json!({})).await;
    here.set_status(&admin, &member, "BANNED").await;
    relay(&here).await;
    assert_eq!(client.hears("user:blocked").await.payload["status"], json!("BANNED"));
    client.is_cut().await;
    assert!(Client::connect(&there, &json!({ "token": member.access })).await.is_err());
    assert!(bystander.hears_nothing().await);
    stop.cancel();
    here.stop().await;
    there.stop().await;
}

on_every_engine! { Scope::All =>
    async fn without_redis_another_process_s_sockets_hear_within_moments(db: TestDb) {
        let stop = CancellationToken::new();
        let here = TestApp::start(db).await;
        let there = here.start_beside(db, |_| {}).await;
        hear(&there, &stop);
        let admin = here.staff(Role::Admin).await;
        let member = here.member().await;
        let (mut client, _) = Client::ready(&there, &member, json!({})).await;
        bonus(&here, &admin, &member, 100).await;
        let begin = Instant::now();
        relay(&here).await;
        client.hears("wallet:updated").await;
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        stop.cancel();
        here.stop().await;
        there.stop().await;
    }

    /// By the other process's own look at the streams.
    async fn who_is_blocked_at_one_process_is_cut_at_another_without_redis(db: TestDb) {
        blocked_elsewhere(db, None).await;
    }

    /// By a hint.
    async fn who_is_blocked_at_one_process_is_cut_at_another_with_redis(db: TestDb) {
        let redis = Redis::start().await;
        blocked_elsewhere(db, Some(&redis)).await;
    }

    /// The process that relays cannot tell the other, which hears from its own line that all is well.
    async fn a_process_without_its_redis_delays_the_others_by_a_second_and_no_more(db: TestDb) {
        let stop = CancellationToken::new();
        let redis = Redis::start().await;
        let url = redis.url();
        let here = TestApp::start(db).await;
        let there = here.start_beside(db, |config| config.redis.url = Some(url.clone().into())).await;
        hear(&there, &stop);
        redis.is_joined_by(1).await;
        let admin = here.staff(Role::Admin).await;
        let member = here.member().await;
        relay(&here).await;
        let (mut client, _) = Client::ready(&there, &member, json!({})).await;
        // The first is heard when it is looked, so the second waits for a whole pause.
        for _ in 0..2 {
            bonus(&here, &admin, &member, 100).await;
            let begin = Instant::now();
            relay(&here).await;
            client.hears("wallet:updated").await;
            assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        }
        stop.cancel();
        here.stop().await;
        there.stop().await;
    }

    async fn each_deployment_has_a_channel_of_its_own_and_tells_nothing_that_its_database_does_not_have(db: TestDb) {
        let stop = CancellationToken::new();
        let redis = Redis::start().await;
        let url = redis.url();
        let app = TestApp::start_with(db, |config| {
            config.redis.url = Some(url.clone().into());
            config.redis.channel = "shop".to_owned();
        })
        .await;
        hear(&app, &stop);
        redis.is_joined_on("shop", 1).await;
        assert_eq!(redis.listeners("realtime").await, 0);
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        relay(&app).await;
        let (mut client, streams) = Client::ready(&app, &member, json!({})).await;
        let stream = user_stream(&member);
        let mut last = streams[&stream]["seq"].as_i64().unwrap();
        let hints: Vec<_> = (last + 2..last + 20)
            .map(|seq| json!({
                "stream": stream, "seq": seq, "name": "never:happened", "payload": {},
                "event": app.state.ambient.new_uuid(), "at": app.state.ambient.now(),
            }))
            .collect();
        // A process writes its own name of 22 letters before what it tells.
        let message = format!("{}{}", "A".repeat(22), json!(hints));
        assert_eq!(redis.say(&["PUBLISH", "shop", &message]).await, 1);
        for _ in 0..3 {
            bonus(&app, &admin, &member, 100).await;
            relay(&app).await;
            client.hears_after(&mut last, "wallet:updated").await;
        }
        assert!(client.hears_nothing().await);
        stop.cancel();
        app.stop().await;
    }

    /// What would have cut a socket is among what a process passes over, because it was away for too long.
    async fn who_ended_among_what_is_passed_over_is_cut_all_the_same(db: TestDb) {
        let stop = CancellationToken::new();
        let here = TestApp::start(db).await;
        let there = here.start_beside(db, |_| {}).await;
        let member = here.member().await;
        let second = here.login(&member.phone).await;
        relay(&here).await;
        let (mut ended, _) = Client::ready(&there, &member, json!({})).await;
        let (mut alive, _) = Client::ready(&there, &second, json!({})).await;
        here.post("/api/auth/logout").bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        relay(&here).await;
        let stream = user_stream(&member);
        let entry = || store::NewEntry {
            stream: stream.clone(),
            name: "wallet:updated".to_owned(),
            payload: json!({}),
            event: here.state.ambient.new_id(),
            at: here.state.ambient.now(),
        };
        let entries: Vec<_> = std::iter::repeat_with(entry).take(500).collect();
        let append = async |txn: &_| store::append_to_streams_in_txn(txn, entries.clone()).await;
        here.state.db.in_txn(append).await.unwrap();
        hear(&there, &stop);
        // A second until it is looked, and one to be cut.
        ended.is_cut_within(Duration::from_secs(2)).await;
        assert_eq!(alive.next().await.name, "resync");
        assert!(alive.hears_nothing().await);
        stop.cancel();
        here.stop().await;
        there.stop().await;
    }

    /// Half of what happens does so while Redis is away: nothing is lost, nothing comes twice or to anybody else, and five
    /// seconds after its return the processes are connected again and everything is heard.
    async fn a_redis_that_is_killed_and_comes_back_loses_nothing(db: TestDb) {
        let stop = CancellationToken::new();
        let mut redis = Redis::start().await;
        let url = redis.url();
        let here = TestApp::start_with(db, |config| config.redis.url = Some(url.clone().into())).await;
        let there = here.start_beside(db, |config| config.redis.url = Some(url.clone().into())).await;
        hear(&here, &stop);
        hear(&there, &stop);
        let admin = here.staff(Role::Admin).await;
        let (member, stranger) = (here.member().await, here.member().await);
        relay(&here).await;
        redis.is_joined_by(2).await;
        let (mut client, _) = Client::ready(&there, &member, json!({})).await;
        let (mut other, _) = Client::ready(&there, &stranger, json!({})).await;
        bonus(&here, &admin, &member, 100).await;
        relay(&here).await;
        let mut last = client.hears("wallet:updated").await.seq();
        redis.kill();
        for _ in 0..2 {
            bonus(&here, &admin, &member, 100).await;
        }
        relay(&here).await;
        client.hears_after(&mut last, "wallet:updated").await;
        redis.launch().await;
        let back = Instant::now();
        client.hears_after(&mut last, "wallet:updated").await;
        redis.is_joined_by(2).await;
        bonus(&here, &admin, &member, 100).await;
        relay(&here).await;
        client.hears_after(&mut last, "wallet:updated").await;
        assert!(back.elapsed() < RECOVERY, "{:?}", back.elapsed());
        assert!(client.hears_nothing().await && other.hears_nothing().await);
        stop.cancel();
        here.stop().await;
        there.stop().await;
    }
}
