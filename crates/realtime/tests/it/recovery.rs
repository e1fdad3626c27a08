//! Clients that were cut off come back to where they were, or start afresh; nothing between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use realtime::{Reason, RecoveryConfig};
use serde_json::Value;

use crate::client::{Polling, Ws};
use crate::server::{Server, config, start, until, with_recovery};

fn come_back(name: &str, answer: &Value, offset: &str) -> String {
    format!("{{\"name\":\"{name}\",\"pid\":{},\"offset\":\"{offset}\"}}", answer["pid"])
}

/// The number and the offset of an event `n`.
fn numbered(text: &str) -> Option<(u64, String)> {
    let event: (String, u64, String) = serde_json::from_str(text.strip_prefix("42")?).ok()?;
    (event.0 == "n").then_some((event.1, event.2))
}

#[actix_web::test]
async fn a_client_comes_back_to_its_id_its_rooms_and_what_it_missed() {
    let (server, realtime, lab) = start(with_recovery()).await;
    let handle = realtime.handle();
    let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
    ws.send("421[\"join\",\"x\"]").await;
    ws.text().await;
    handle.to("x").emit("n", &1).unwrap();
    let (_, offset) = numbered(&ws.text().await).unwrap();
    drop(ws);
    until("it is out", || *lab.gone.lock().unwrap() == [Reason::TransportClose]).await;
    handle.to("x").emit("n", &2).unwrap();
    handle.to("elsewhere").emit("n", &3).unwrap();
    handle.to("user:asha").emit("n", &4).unwrap();
    handle.to("x").except("user:asha").emit("n", &5).unwrap();
    handle.to("x").volatile().emit("n", &6).unwrap();
    handle.everybody().emit("n", &7).unwrap();

    let (mut ws, again) = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
    assert_eq!((&again["sid"], &again["pid"]), (&answer["sid"], &answer["pid"]));
    let missed: Vec<u64> = again["missed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| numbered(text.as_str().unwrap()).unwrap().0)
        .collect();
    assert_eq!(missed, [2, 4, 7]);
    assert_eq!(*lab.admitted.lock().unwrap(), 2, "coming back is admitted like coming");
    handle.to("x").emit("n", &8).unwrap();
    assert_eq!(numbered(&ws.text().await).unwrap().0, 8);
    assert!(handle.to("x").sockets()[0].was_recovered());
}

#[actix_web::test]
async fn who_may_not_come_in_any_more_does_not_come_back() {
    let (server, realtime, lab) = start(with_recovery()).await;
    let handle = realtime.handle();
    let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"eve\",\"role\":\"admin\"}").await;
    handle.everybody().emit("n", &1).unwrap();
    let (_, offset) = numbered(&ws.text().await).unwrap();
    drop(ws);
    until("it is out", || lab.gone.lock().unwrap().len() == 1).await;
    handle.to("role:admin").emit("n", &2).unwrap();

    // Another identity, and the same one without the role: both start afresh, and see nothing.
    let auth = come_back("mallory", &answer, &offset);
    let (_, other) = Ws::enter(&server, &auth).await;
    assert!(other["sid"] != answer["sid"] && other.get("missed").is_none());

    let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"eve\",\"role\":\"admin\"}").await;
    handle.everybody().emit("n", &3).unwrap();
    let (_, offset) = numbered(&ws.text().await).unwrap();
    drop(ws);
    until("it is out", || handle.to("role:admin").sockets().is_empty()).await;
    handle.to("role:admin").emit("n", &4).unwrap();
    let (_, demoted) = Ws::enter(&server, &come_back("eve", &answer, &offset)).await;
    assert!(demoted["sid"] != answer["sid"] && demoted.get("missed").is_none());

    lab.banned.lock().unwrap().push("eve".to_owned());
    let mut ws = Ws::open(&server, "/socket.io").await;
    ws.send(&format!("40{}", come_back("eve", &demoted, &offset))).await;
    assert!(ws.text().await.starts_with("44{\"data\""));
}

#[actix_web::test]
async fn who_left_or_was_put_out_starts_afresh() {
    let (server, realtime, _) = start(with_recovery()).await;
    for (goodbye, reply) in [("41", None), ("42[\"out\"]", Some("41"))] {
        let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
        realtime.handle().to("user:asha").emit("n", &1).unwrap();
        let (_, offset) = numbered(&ws.text().await).unwrap();
        ws.send(goodbye).await;
        if let Some(reply) = reply {
            assert_eq!(ws.text().await, reply);
        }
        drop(ws);
        until("it is out", || realtime.handle().to("user:asha").sockets().is_empty()).await;
        let (_, again) = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
        assert_ne!(again["sid"], answer["sid"]);
    }
}

#[actix_web::test]
async fn a_client_whose_old_connection_still_seems_alive_takes_its_place() {
    let (server, realtime, lab) = start(with_recovery()).await;
    let (mut old, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
    realtime.handle().to("user:asha").emit("n", &1).unwrap();
    let (_, offset) = numbered(&old.text().await).unwrap();
    realtime.handle().to("user:asha").emit("n", &2).unwrap();
    let (_new, again) = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
    assert_eq!(again["sid"], answer["sid"]);
    assert_eq!(numbered(again["missed"][0].as_str().unwrap()).unwrap().0, 2);
    old.closed().await;
    until("it is out", || *lab.gone.lock().unwrap() == [Reason::TransportClose]).await;
    assert_eq!(realtime.handle().to("user:asha").sockets().len(), 1);
}

/// Its second connection ends while the namespace still thinks about it: what is kept is for the third.
#[actix_web::test]
async fn a_client_that_is_cut_while_it_comes_back_comes_back_the_next_time() {
    let (server, realtime, lab) = start(with_recovery()).await;
    let handle = realtime.handle();
    let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
    handle.everybody().emit("n", &1).unwrap();
    let (_, offset) = numbered(&ws.text().await).unwrap();
    drop(ws);
    until("it is out", || lab.gone.lock().unwrap().len() == 1).await;
    handle.everybody().emit("n", &2).unwrap();

    let auth = come_back("asha", &answer, &offset);
    let mut second = Ws::open(&server, "/socket.io").await;
    second.send(&format!("40{}", auth.replacen('{', "{\"slow\":true,", 1))).await;
    until("it is thought about", || *lab.admitted.lock().unwrap() == 2).await;
    drop(second);
    until("it is gone", || realtime.connections() == 0).await;
    lab.slow.notify_one();
    // Long enough for what was thought to be done with. Were it not, the third would be the first to come back.
    tokio::time::sleep(Duration::from_millis(50)).await;

    let (_, again) = Ws::enter(&server, &auth).await;
    assert_eq!(again["sid"], answer["sid"]);
    assert_eq!(numbered(again["missed"][0].as_str().unwrap()).unwrap().0, 2);
}

#[actix_web::test]
async fn a_recovery_is_never_partial() {
    let recovery = RecoveryConfig { max_events: 10, ..RecoveryConfig::default() };
    let (server, realtime, lab) = start(realtime::Config { recovery: Some(recovery), ..config() }).await;
    for (missed, is_recovered) in [(9, true), (10, true), (11, false)] {
        let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
        realtime.handle().everybody().emit("n", &0).unwrap();
        let (_, offset) = numbered(&ws.text().await).unwrap();
        let before = lab.gone.lock().unwrap().len();
        drop(ws);
        until("it is out", || lab.gone.lock().unwrap().len() > before).await;
        for number in 1..=missed {
            realtime.handle().everybody().emit("n", &number).unwrap();
        }
        let (ws, again) = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
        assert_eq!(again["sid"] == answer["sid"], is_recovered, "{missed}");
        let got = again.get("missed").map_or(0, |missed| missed.as_array().unwrap().len());
        assert_eq!(got, if is_recovered { missed } else { 0 });
        let before = lab.gone.lock().unwrap().len();
        drop(ws);
        until("it is out", || lab.gone.lock().unwrap().len() > before).await;
    }
    for wrong in
        ["{\"pid\":\"x\",\"offset\":\"y\"}", "{\"pid\":1,\"offset\":2}", "{\"pid\":\"a.b\",\"offset\":\"\"}"]
    {
        assert!(Ws::enter(&server, wrong).await.1["pid"].is_string(), "{wrong}");
    }
}

/// Another namespace of the client has filled the queue that all its namespaces share.
#[actix_web::test]
async fn what_was_missed_and_does_not_fit_any_more_cuts_the_client() {
    let (server, realtime, lab) = start(with_recovery()).await;
    let (main, custom) = (realtime.handle(), realtime.handle().of("/custom").unwrap());
    let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
    main.everybody().emit("n", &0).unwrap();
    let (_, offset) = numbered(&ws.text().await).unwrap();
    drop(ws);
    until("it is out", || lab.gone.lock().unwrap().len() == 1).await;
    let text = "x".repeat(10_000);
    for _ in 0..40 {
        main.everybody().emit("n", &text).unwrap();
    }

    let polling = Polling::open(&server, "/socket.io").await;
    polling.post("40/custom,").await;
    polling.get().await;
    for _ in 0..80 {
        custom.everybody().emit("n", &text).unwrap();
    }
    until("they wait for it", || custom.everybody().sockets().len() == 1).await;
    polling.post(format!("40{}", come_back("asha", &answer, &offset))).await;
    until("it is cut", || lab.gone.lock().unwrap().contains(&Reason::SlowConsumer)).await;
    assert_eq!(polling.get().await.0, 400);
    assert!(main.everybody().sockets().is_empty() && custom.everybody().sockets().is_empty());
}

#[actix_web::test]
async fn a_client_over_polling_comes_back_too() {
    let (server, realtime, _) = start(with_recovery()).await;
    let polling = Polling::open(&server, "/socket.io").await;
    polling.post("40{\"name\":\"asha\"}").await;
    let answer: Value = serde_json::from_str(&polling.get().await.1[2..]).unwrap();
    realtime.handle().to("user:asha").emit("n", &1).unwrap();
    let (_, offset) = numbered(&polling.get().await.1).unwrap();
    realtime.handle().to("user:asha").emit("n", &2).unwrap();
    polling.post("1").await;
    let (_, again) = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
    assert_eq!(numbered(again["missed"][0].as_str().unwrap()).unwrap().0, 2);
}

/// By how much the emitter may be ahead of the client: less than is kept for one that comes back.
const AHEAD: u64 = 1_000;

/// How far the client is, for the emitter: how many events it may send, and none before the client is in.
#[derive(Default)]
struct Pace(AtomicU64);

impl Pace {
    fn has_heard(&self, count: u64) {
        self.0.store(count + AHEAD, Ordering::Release);
    }

    fn allows(&self, number: u64) -> bool {
        number < self.0.load(Ordering::Acquire)
    }
}

/// A client that is cut at random and always comes back; every number must come, in order, none twice.
async fn watch(server: Server, cuts: usize, pace: Arc<Pace>) -> u64 {
    let (mut ws, mut answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
    let mut expected = 0;
    let mut offset = String::new();
    let mut dice = 0x9e37_79b9_u64;
    for cut in 0..cuts {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        pace.has_heard(expected);
        for _ in 0..1 + (dice >> 33) % 40 {
            let (number, at) = numbered(&ws.text().await).unwrap();
            assert_eq!(number, expected, "after {cut} cuts");
            expected += 1;
            offset = at;
        }
        drop(ws);
        if dice.is_multiple_of(3) {
            tokio::time::sleep(Duration::from_millis(dice >> 60)).await;
        }
        let again = Ws::enter(&server, &come_back("asha", &answer, &offset)).await;
        ws = again.0;
        assert_eq!(again.1["sid"], answer["sid"], "cut {cut} was not recovered from");
        answer = again.1;
        for missed in answer.get("missed").and_then(Value::as_array).into_iter().flatten() {
            let (number, at) = numbered(missed.as_str().unwrap()).unwrap();
            assert_eq!(number, expected, "missed by {cut} cuts");
            expected += 1;
            offset = at;
        }
    }
    expected
}

#[actix_web::test]
async fn random_cuts_lose_nothing_and_keep_the_order() {
    let cuts = std::env::var("DGT_REALTIME_CUTS").map_or(60, |cuts| cuts.parse().unwrap());
    let (server, realtime, _) = start(with_recovery()).await;
    let (pace, is_over) = (Arc::new(Pace::default()), Arc::new(AtomicBool::new(false)));
    let emitter = {
        let (handle, pace, is_over) = (realtime.handle(), Arc::clone(&pace), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut number = 0_u64;
            while !is_over.load(Ordering::Acquire) {
                for _ in 0..3 {
                    if pace.allows(number) {
                        handle.to("user:asha").emit("n", &number).unwrap();
                        number += 1;
                    }
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            number
        })
    };
    let seen = watch(server, cuts, pace).await;
    is_over.store(true, Ordering::Release);
    let sent = emitter.join().unwrap();
    assert!(seen > u64::try_from(cuts).unwrap() && seen <= sent);
}
