//! Several processes: each tells its own sockets, with Redis between them, without it, and while it is away.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kernel::Role;
use serde_json::json;
use testkit::{Scope, on_every_engine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::{bonus, relay};
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

    /// How many processes listen to each other through it, by its own word.
    async fn listeners(&self) -> usize {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(b"PUBSUB NUMSUB realtime\r\n").await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\r\n") || !answer.contains("\r\n:") {
            let mut some = [0; 256];
            let length = stream.read(&mut some).await.unwrap();
            answer.push_str(std::str::from_utf8(&some[..length]).unwrap());
        }
        answer.trim_end().rsplit(':').next().unwrap().parse().unwrap()
    }

    async fn is_joined_by(&self, processes: usize) {
        let begin = Instant::now();
        while self.listeners().await != processes {
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
