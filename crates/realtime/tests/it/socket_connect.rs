//! Socket.IO v5: into a namespace and out of it.

use std::time::{Duration, Instant};

use realtime::{Config, EngineConfig, Reason};
use serde_json::{Value, json};

use crate::client::{Polling, Ws};
use crate::line::{Line, Transport, on_both_transports};
use crate::server::{config, start, until, with_recovery};

on_both_transports! {
    async fn a_client_enters_a_namespace_with_or_without_a_payload(by: Transport) {
        let (server, realtime, _) = start(config()).await;
        let (ws, answer) = Line::enter(by, &server, "").await;
        drop(ws);
        assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["sid"]);
        let mut ws = Line::open(by, &server).await;
        for (sent, expected) in [
            ("40{\"name\":\"asha\",\"greet\":[1]}", "42[\"greeting\",[1]]"),
            ("40/custom,{\"greet\":2}", "42/custom,[\"greeting\",2]"),
        ] {
            ws.send(sent).await;
            let answer = ws.text().await;
            assert!(
                answer.starts_with(&sent[..sent.find('{').unwrap()]) && answer.contains("\"sid\""),
                "{answer}"
            );
            assert_eq!(ws.text().await, expected);
        }
        let sockets = realtime.handle().to("user:asha").sockets();
        assert_eq!(sockets.len(), 1);
        assert_eq!(sockets[0].identity(), "asha");
        assert_eq!(sockets[0].data::<Value>().unwrap()["name"], "asha");
        assert_eq!((sockets[0].namespace(), sockets[0].was_recovered()), ("/", false));
        assert_ne!(sockets[0].id(), sockets[0].connection().id());
        assert!(sockets[0].connection().peer().unwrap().is_loopback());
    }

    async fn who_asks_twice_before_the_answer_is_answered_once(by: Transport) {
        let (server, realtime, lab) = start(config()).await;
        let mut ws = Line::open(by, &server).await;
        ws.send("40{\"slow\":true}").await;
        ws.send("40").await;
        // Refused at once: when the answer is here, both of the others have been read.
        ws.send("40/nowhere").await;
        assert!(ws.text().await.starts_with("44/nowhere,"));
        lab.slow.notify_one();
        assert!(ws.text().await.starts_with("40{"));
        ws.silence().await;
        assert_eq!((*lab.admitted.lock().unwrap(), realtime.handle().everybody().sockets().len()), (1, 1));
    }

    async fn an_unknown_namespace_is_refused_and_the_connection_stays(by: Transport) {
        let (server, ..) = start(config()).await;
        let mut ws = Line::open(by, &server).await;
        for (sent, expected) in [
            ("40/random", "44/random,{\"message\":\"Invalid namespace\"}"),
            ("40/random,{\"token\":\"x\"}", "44/random,{\"message\":\"Invalid namespace\"}"),
            ("40/random?a=1,", "44/random?a=1,{\"message\":\"Invalid namespace\"}"),
        ] {
            ws.send(sent).await;
            assert_eq!(ws.text().await, expected);
        }
        ws.send("40").await;
        assert!(ws.text().await.starts_with("40{"));
    }

    async fn who_is_not_let_in_is_told_why_and_may_try_again(by: Transport) {
        let (server, realtime, lab) = start(config()).await;
        lab.banned.lock().unwrap().push("eve".to_owned());
        let mut ws = Line::open(by, &server).await;
        for _ in 0..2 {
            ws.send("40{\"name\":\"eve\"}").await;
            let answer = ws.text().await;
            let error: Value = serde_json::from_str(answer.strip_prefix("44").unwrap()).unwrap();
            assert_eq!(error, json!({"message": "banned", "data": {"name": "eve"}}));
        }
        assert!(realtime.handle().everybody().sockets().is_empty());
        ws.send("40{\"name\":\"asha\"}").await;
        assert!(ws.text().await.starts_with("40{"));
    }

    async fn who_enters_nothing_in_time_is_cut(by: Transport) {
        let (server, realtime, _) = start(config()).await;
        let began = Instant::now();
        let mut refused = Line::open(by, &server).await;
        refused.send("40/random").await;
        refused.text().await;
        refused.closed().await;
        assert!(began.elapsed() > Duration::from_millis(900) && began.elapsed() < Duration::from_secs(3));
        assert_eq!(realtime.connections(), 0);
        let (mut entered, _) = Line::enter(by, &server, "").await;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        entered.send("421[]").await;
        entered.closed().await;
    }

    async fn who_answers_pings_and_enters_nothing_is_cut_too(by: Transport) {
        let engine = EngineConfig { ping_interval: Duration::from_millis(400), ..config().engine };
        let (server, realtime, _) = start(Config { engine, ..config() }).await;
        let began = Instant::now();
        let mut idle = Line::open(by, &server).await;
        for _ in 0..2 {
            assert_eq!(idle.text().await, "2");
            idle.send("3").await;
        }
        idle.closed().await;
        let lasted = began.elapsed();
        assert!(lasted > Duration::from_millis(900) && lasted < Duration::from_secs(3), "{lasted:?}");
        assert_eq!(realtime.connections(), 0);
    }

    async fn a_packet_that_breaks_the_protocol_ends_the_connection(by: Transport) {
        let (server, _, lab) = start(config()).await;
        let after_connect = [
            "4abc",
            "42{}",
            "42[]",
            "42[1]",
            "42",
            "42abc[\"message\"]",
            "42[\"disconnect\"]",
            "47",
            "40[]",
            "43[1]",
            "431{}",
            "44{\"message\":\"x\"}",
            "451-[\"message\"",
            "4599-[\"message\"]",
            "45[\"message\"]",
            "46-1[1]",
            "42/custom,[\"message\"]",
            "42/nowhere,[\"message\"]",
            "41/custom",
            "41[]",
            "4",
        ];
        for text in after_connect {
            let (mut ws, _) = Line::enter(by, &server, "").await;
            ws.send(text).await;
            ws.closed().await;
        }
        until("all are told", || lab.gone.lock().unwrap().len() == after_connect.len()).await;
        assert!(lab.gone.lock().unwrap().iter().all(|reason| *reason == Reason::ParseError));
        for text in ["42[\"message\"]", "41", "431[]", "4abc", "451-[\"x\"]"] {
            let mut ws = Line::open(by, &server).await;
            ws.send(text).await;
            if text.starts_with("451") {
                ws.send_binary(&[1]).await;
            }
            ws.closed().await;
        }
    }

    async fn attachments_out_of_place_end_the_connection(by: Transport) {
        let (server, ..) =
            start(realtime::Config { max_attachments: 2, max_attachment_bytes: 100, ..config() }).await;
        let placeholder = "{\"_placeholder\":true,\"num\":0}";
        // Bytes that nothing announced.
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send_binary(&[1]).await;
        ws.closed().await;
        // Text where bytes were announced.
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send(&format!("451-[\"message\",{placeholder}]")).await;
        ws.send("42[\"message\"]").await;
        ws.closed().await;
        // A placeholder for bytes that are not there.
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("451-[\"message\",{\"_placeholder\":true,\"num\":1}]").await;
        ws.send_binary(&[1]).await;
        ws.closed().await;
        // Too many, and too large together.
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send(&format!("453-[\"message\",{placeholder}]")).await;
        ws.closed().await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send(&format!("452-[\"message\",{placeholder}]")).await;
        ws.send_binary(&[0; 60]).await;
        ws.send_binary(&[0; 60]).await;
        ws.closed().await;
    }

    async fn a_client_leaves_one_namespace_and_stays_in_the_others(by: Transport) {
        let (server, realtime, lab) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("40/custom").await;
        assert!(ws.text().await.starts_with("40/custom,{"));
        ws.send("41/custom").await;
        ws.send("42[\"message\",1]").await;
        assert_eq!(ws.text().await, "42[\"message-back\",1]");
        assert!(realtime.handle().of("/custom").unwrap().everybody().sockets().is_empty());
        until("it is told", || *lab.gone.lock().unwrap() == [Reason::ClientLeft]).await;
        ws.send("41").await;
        ws.silence().await;
        assert_eq!(realtime.connections(), 1, "the connection outlives its last namespace");
        ws.send("40").await;
        assert!(ws.text().await.starts_with("40{"));
    }

    async fn a_socket_that_is_put_out_is_told_and_may_come_back(by: Transport) {
        let (server, _, lab) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("42[\"out\"]").await;
        assert_eq!(ws.text().await, "41");
        // What it sent before it knew is ignored.
        ws.send("42[\"message\",1]").await;
        ws.silence().await;
        ws.send("40").await;
        assert!(ws.text().await.starts_with("40{"));
        ws.send("42[\"close\"]").await;
        assert_eq!(ws.text().await, "41");
        ws.closed().await;
        until("both are told", || *lab.gone.lock().unwrap() == [Reason::ServerDisconnect; 2]).await;
    }

    async fn a_handler_that_panics_ends_its_own_connection_alone(by: Transport) {
        let (server, ..) = start(config()).await;
        let (mut other, _) = Line::enter(by, &server, "").await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("42[\"panic\"]").await;
        ws.closed().await;
        other.send("42[\"message\"]").await;
        assert_eq!(other.text().await, "42[\"message-back\"]");
    }
}

#[actix_web::test]
async fn who_is_put_out_between_two_gets_hears_so_with_the_next() {
    let mut config = config();
    config.engine.linger = Duration::from_secs(60);
    let (server, realtime, lab) = start(config).await;
    let polling = Polling::open(&server, "/socket.io").await;
    assert_eq!(polling.post("40{\"name\":\"asha\"}").await.0, 200);
    assert!(polling.get().await.1.starts_with("40{"));
    let handle = realtime.handle();
    handle.to("user:asha").emit("blocked", "for a reason").unwrap();
    handle.to("user:asha").disconnect(true);
    until("it has ended", || realtime.connections() == 0).await;
    until("it is told", || *lab.gone.lock().unwrap() == [Reason::ServerDisconnect]).await;
    let (status, said) = polling.get().await;
    assert_eq!(status, 200);
    assert!(said.starts_with("42[\"blocked\",\"for a reason\"]\u{1e}"), "{said}");
    assert!(said.ends_with("\u{1e}1"), "{said}");
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn who_asks_again_is_answered_by_who_it_is_already() {
    for config in [config(), with_recovery()] {
        let (server, realtime, lab) = start(config).await;
        let (mut ws, answer) = Ws::enter(&server, "{\"name\":\"asha\"}").await;
        for payload in ["", "{\"name\":\"eve\",\"role\":\"admin\"}"] {
            ws.send(&format!("40{payload}")).await;
            let again: Value = serde_json::from_str(ws.text().await.strip_prefix("40").unwrap()).unwrap();
            assert_eq!(again, answer);
        }
        assert_eq!(*lab.admitted.lock().unwrap(), 1, "nobody is let in anew");
        assert_eq!(realtime.handle().to("user:asha").sockets().len(), 1);
        assert!(realtime.handle().to("role:admin").sockets().is_empty());
        let polling = Polling::open(&server, "/socket.io").await;
        polling.post("40").await;
        let answer = polling.get().await.1;
        polling.post("40").await;
        assert_eq!(polling.get().await.1, answer);
    }
}

#[actix_web::test]
async fn everything_works_over_polling_too() {
    let (server, ..) = start(config()).await;
    let polling = Polling::open(&server, "/socket.io").await;
    polling.post("40{\"name\":\"asha\"}").await;
    assert!(polling.get().await.1.starts_with("40{\"sid\":"));
    polling.post("451-7[\"message\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==").await;
    let mut got = polling.get().await.1;
    while !got.contains("46") {
        got = format!("{got}\u{1e}{}", polling.get().await.1);
    }
    assert_eq!(
        got,
        "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==\u{1e}\
         461-7[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA=="
    );
}
