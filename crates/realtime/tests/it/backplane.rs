//! Two processes behind one Redis, as two servers here: everything reaches both, and an outage only divides them.

use std::time::{Duration, Instant};

use realtime::backplane::{Redis, RedisConfig};
use realtime::{Realtime, Reason};

use crate::client::Ws;
use crate::redis_server::RedisServer;
use crate::server::{Lab, Server, config, start_with, until};

struct Instance {
    server: Server,
    realtime: Realtime,
    lab: Lab,
    redis: Redis,
}

async fn instance(redis: &RedisServer) -> Instance {
    let settings = RedisConfig {
        check_every: Duration::from_millis(200),
        timeout: Duration::from_millis(300),
        ..RedisConfig::default()
    };
    let redis = Redis::new(&redis.url(), settings).unwrap();
    let (server, realtime, lab) =
        start_with(Realtime::builder().config(config()).backplane(redis.clone())).await;
    let instance = Instance { server, realtime, lab, redis };
    instance.connected(true).await;
    instance
}

impl Instance {
    async fn connected(&self, is_connected: bool) {
        let mut state = self.redis.state();
        let wait = state.wait_for(|state| state.is_connected == is_connected);
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the backplane in time").unwrap();
    }

    async fn client(&self, name: &str) -> Ws {
        Ws::enter(&self.server, &format!("{{\"name\":\"{name}\"}}")).await.0
    }
}

#[actix_web::test]
async fn an_emit_reaches_both_instances_once_and_soon() {
    let redis = RedisServer::start().await;
    let (a, b) = (instance(&redis).await, instance(&redis).await);
    let (mut here, mut there) = (a.client("asha").await, b.client("asha").await);
    let mut times = Vec::new();
    for number in 0..300 {
        let began = Instant::now();
        a.realtime.handle().to("user:asha").emit("n", &number).unwrap();
        assert_eq!(here.text().await, format!("42[\"n\",{number}]"));
        assert_eq!(there.text().await, format!("42[\"n\",{number}]"));
        times.push(began.elapsed());
    }
    times.sort_unstable();
    assert!(times[times.len() * 99 / 100] < Duration::from_millis(50), "{:?}", times[times.len() * 99 / 100]);
    here.silence().await;
    there.silence().await;
    // Bytes too, and other namespaces not.
    let args = realtime::Args::none().and_bytes(&[0, 10, 255][..]).unwrap();
    b.realtime.handle().everybody().emit_args("b", &args).unwrap();
    b.realtime.handle().of("/custom").unwrap().everybody().emit("c", &1).unwrap();
    for ws in [&mut here, &mut there] {
        assert!(ws.text().await.starts_with("451-[\"b\","));
        assert_eq!(ws.binary().await, [0, 10, 255]);
        ws.silence().await;
    }
}

#[actix_web::test]
async fn rooms_are_joined_left_and_put_out_on_both_instances() {
    let redis = RedisServer::start().await;
    let (a, b) = (instance(&redis).await, instance(&redis).await);
    let mut there = b.client("asha").await;
    let handle = a.realtime.handle();
    handle.to("user:asha").join("x");
    handle.to("x").emit("n", &1).unwrap();
    assert_eq!(there.text().await, "42[\"n\",1]");
    handle.to("x").leave("x");
    handle.to("x").emit("n", &2).unwrap();
    there.silence().await;
    let began = Instant::now();
    handle.to("user:asha").disconnect(true);
    assert_eq!(there.text().await, "41");
    there.closed().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    until("it is told", || *b.lab.gone.lock().unwrap() == [Reason::ServerDisconnect]).await;
}

#[actix_web::test]
async fn an_outage_divides_the_instances_and_they_heal() {
    let mut redis = RedisServer::start().await;
    let (a, b) = (instance(&redis).await, instance(&redis).await);
    let (mut here, mut there) = (a.client("asha").await, b.client("asha").await);
    for outage in 1..=2 {
        redis.kill();
        a.connected(false).await;
        b.connected(false).await;
        let began = Instant::now();
        for number in 0..100 {
            a.realtime.handle().to("user:asha").emit("n", &number).unwrap();
            assert_eq!(here.text().await, format!("42[\"n\",{number}]"), "the own process is served");
        }
        assert!(began.elapsed() < Duration::from_secs(2));
        there.silence().await;
        redis.start_again().await;
        a.connected(true).await;
        b.connected(true).await;
        // What was emitted meanwhile is lost there, and this is how the application knows.
        assert_eq!(b.redis.state().borrow().interruptions, outage);
        a.realtime.handle().to("user:asha").emit("healed", &outage).unwrap();
        assert_eq!(here.text().await, format!("42[\"healed\",{outage}]"));
        assert_eq!(there.text().await, format!("42[\"healed\",{outage}]"));
    }
}

#[actix_web::test]
async fn a_redis_that_hangs_holds_nobody_up() {
    let redis = RedisServer::start().await;
    let a = instance(&redis).await;
    let mut here = a.client("asha").await;
    redis.freeze(true);
    let began = Instant::now();
    let text = "x".repeat(1_000);
    for _ in 0..500 {
        a.realtime.handle().to("user:asha").emit("n", &text).unwrap();
        here.text().await;
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    a.connected(false).await;
    redis.freeze(false);
    a.connected(true).await;
    assert_eq!(a.redis.state().borrow().interruptions, 1);
}

#[actix_web::test]
async fn an_instance_that_starts_without_redis_serves_its_own_and_joins_later() {
    let mut redis = RedisServer::start().await;
    redis.kill();
    let backplane = Redis::new(&redis.url(), RedisConfig::default()).unwrap();
    let (server, realtime, _) =
        start_with(Realtime::builder().config(config()).backplane(backplane.clone())).await;
    let (mut ws, _) = Ws::enter(&server, "").await;
    realtime.handle().everybody().emit("n", &1).unwrap();
    assert_eq!(ws.text().await, "42[\"n\",1]");
    redis.start_again().await;
    let b = instance(&redis).await;
    let mut state = backplane.state();
    tokio::time::timeout(Duration::from_secs(10), state.wait_for(|state| state.is_connected))
        .await
        .unwrap()
        .unwrap();
    b.realtime.handle().everybody().emit("n", &2).unwrap();
    assert_eq!(ws.text().await, "42[\"n\",2]");
}
