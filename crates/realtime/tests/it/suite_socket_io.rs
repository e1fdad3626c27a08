//! The cases of the Socket.IO protocol's own test suite, against the server that it expects: `examples/echo.rs`.
//!
//! Each case is run on both addresses of localhost. Those of Engine.IO, which that suite repeats, are beside the others.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Ws;
use crate::server::{Server, echoes};

/// A client in the main namespace, which has heard its `auth`.
async fn entered(server: &Server) -> Ws {
    let mut ws = Ws::open(server, "/socket.io").await;
    ws.send("40").await;
    assert!(ws.said().await.starts_with("40{"));
    assert_eq!(ws.said().await, "42[\"auth\",{}]");
    ws
}

#[actix_web::test]
async fn clients_connect_to_namespaces() {
    for server in &echoes() {
        for (sent, prefix, auth) in [
            ("40", "40", "42[\"auth\",{}]"),
            ("40{\"token\":\"123\"}", "40", "42[\"auth\",{\"token\":\"123\"}]"),
            ("40/custom,", "40/custom,", "42/custom,[\"auth\",{}]"),
            ("40/custom", "40/custom,", "42/custom,[\"auth\",{}]"),
            ("40/custom,{\"token\":\"abc\"}", "40/custom,", "42/custom,[\"auth\",{\"token\":\"abc\"}]"),
        ] {
            let mut ws = Ws::open(server, "/socket.io").await;
            ws.send(sent).await;
            let answer = ws.said().await;
            let answer: Value = serde_json::from_str(answer.strip_prefix(prefix).unwrap()).unwrap();
            assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["sid"], "{sent}");
            assert!(answer["sid"].is_string());
            assert_eq!(ws.said().await, auth);
        }
    }
}

#[actix_web::test]
async fn who_cannot_connect_is_refused_or_closed() {
    for server in &echoes() {
        let mut ws = Ws::open(server, "/socket.io").await;
        ws.send("40/random").await;
        assert_eq!(ws.said().await, "44/random,{\"message\":\"Invalid namespace\"}");

        let mut ws = Ws::open(server, "/socket.io").await;
        ws.send("4abc").await;
        ws.closed().await;

        // Pings are answered, but nothing is entered.
        let mut ws = Ws::open(server, "/socket.io").await;
        let opened = Instant::now();
        while ws.next().await.is_some() {
            ws.send("3").await;
        }
        assert!(opened.elapsed() > Duration::from_millis(900), "{:?}", opened.elapsed());
    }
}

#[actix_web::test]
async fn clients_disconnect_from_namespaces() {
    for server in &echoes() {
        let mut ws = entered(server).await;
        ws.send("41").await;
        assert_eq!(ws.text().await, "2", "the connection stays: the next that comes is a ping");

        let mut ws = entered(server).await;
        ws.send("40/custom").await;
        assert!(ws.said().await.starts_with("40/custom,{"));
        assert_eq!(ws.said().await, "42/custom,[\"auth\",{}]");
        ws.send("41/custom").await;
        ws.send("42[\"message\",\"message to main namespace\"]").await;
        assert_eq!(ws.said().await, "42[\"message-back\",\"message to main namespace\"]");
    }
}

#[actix_web::test]
async fn messages_and_acknowledgements_come_back() {
    for server in &echoes() {
        let mut ws = entered(server).await;
        ws.send("42[\"message\",1,\"2\",{\"3\":[true]}]").await;
        assert_eq!(ws.said().await, "42[\"message-back\",1,\"2\",{\"3\":[true]}]");
        ws.send("42456[\"message-with-ack\",1,\"2\",{\"3\":[false]}]").await;
        assert_eq!(ws.said().await, "43456[1,\"2\",{\"3\":[false]}]");

        let list = "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";
        for (sent, expected) in [
            (format!("452-[\"message\",{list}]"), format!("452-[\"message-back\",{list}]")),
            (format!("452-789[\"message-with-ack\",{list}]"), format!("462-789[{list}]")),
        ] {
            ws.send(&sent).await;
            ws.send_binary(&[1, 2, 3]).await;
            ws.send_binary(&[4, 5, 6]).await;
            assert_eq!(ws.said().await, expected);
            assert_eq!((ws.binary().await, ws.binary().await), (vec![1, 2, 3], vec![4, 5, 6]));
        }
    }
}

#[actix_web::test]
async fn packets_of_no_known_form_close_the_connection() {
    for server in &echoes() {
        for (what, packet) in [
            ("an unknown type", "4abc"),
            ("a payload that is no array", "42{}"),
            (
                "an acknowledgement id that is no number",
                "42abc[\"message-with-ack\",1,\"2\",{\"3\":[false]}]",
            ),
        ] {
            let mut ws = entered(server).await;
            ws.send(packet).await;
            let sent = Instant::now();
            ws.closed().await;
            assert!(sent.elapsed() < Duration::from_millis(400), "{what}: not by the heartbeat");
        }
    }
}
