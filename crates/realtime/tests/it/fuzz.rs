//! Whatever a client sends, the server neither panics nor grows, and others are served.

use std::time::Duration;

use futures_util::SinkExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Polling, Ws, client, url};
use crate::server::{config, start, until};

/// Packets that are right, nearly right, or nothing of the kind.
fn packets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{0,2}[0-9-]{0,4}(/[a-z]{0,4},)?[0-9]{0,3}[\\[{\"a-z0-9,:}\\]]{0,20}",
        "4[0-6][0-9]?-?(/custom,)?[0-9]{0,3}\\[\"[a-z]{1,8}\"(,[0-9]){0,3}\\]?",
        "\\PC{0,40}",
        Just("45999999999-[\"x\"]".to_owned()),
        Just(format!("42[\"message\",{}]", "[".repeat(2_000))),
        Just(format!("42[\"message\",{}{}]", "[".repeat(500), "]".repeat(500))),
        Just("40".to_owned()),
        Just("40/custom,{\"name\":\"x\"}".to_owned()),
    ]
}

fn samples<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// That a fresh client is served as ever, and that nothing is left of the others.
async fn assert_well(server: &crate::server::Server, realtime: &realtime::Realtime) {
    let (mut ws, _) = Ws::enter(server, "").await;
    ws.send("42[\"message\",1]").await;
    assert_eq!(ws.text().await, "42[\"message-back\",1]");
    drop(ws);
    until("everybody is gone", || realtime.connections() == 0).await;
    // A connection is gone a moment before its sockets are.
    until("no socket is left", || realtime.handle().everybody().sockets().is_empty()).await;
}

#[actix_web::test]
async fn any_packets_over_websocket() {
    let (server, realtime, _) = start(config()).await;
    for packets in samples(proptest::collection::vec(packets(), 1..12), 300) {
        let mut ws = Ws::open(&server, "/socket.io").await;
        ws.send("40").await;
        for packet in packets {
            // The server may have ended it by now.
            if ws.0.send(Message::text(packet)).await.is_err() {
                break;
            }
        }
        let _ = ws.0.send(Message::binary(vec![1, 2, 3])).await;
        let _ = tokio::time::timeout(Duration::from_millis(3), ws.next()).await;
    }
    assert_well(&server, &realtime).await;
}

#[actix_web::test]
async fn any_bytes_as_frames() {
    let (server, realtime, _) = start(config()).await;
    let head = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for bytes in samples(proptest::collection::vec(any::<u8>(), 0..200), 300) {
        let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let _ = stream.write_all(&bytes).await;
    }
    assert_well(&server, &realtime).await;
}

#[actix_web::test]
async fn any_bodies_over_polling() {
    let (server, realtime, _) = start(config()).await;
    let bodies = proptest::collection::vec(
        prop_oneof![packets().prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..60)],
        1..5,
    );
    for body in samples(bodies, 200) {
        let polling = Polling::open(&server, "/socket.io").await;
        assert_eq!(polling.post("40").await.0, 200);
        let (status, _) = polling.post(body.join(&0x1e)).await;
        assert!(status == 200 || status == 400, "{status}");
        polling.post("1").await;
    }
    assert_well(&server, &realtime).await;
}

#[actix_web::test]
async fn any_query() {
    let (server, realtime, _) = start(config()).await;
    let http = client();
    for query in samples("[a-zA-Z0-9=&%+_.~-]{0,60}", 300) {
        let response = http.get(url(&server, &format!("/socket.io/?{query}"))).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
    assert_well(&server, &realtime).await;
}
