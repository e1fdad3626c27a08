//! The cases of the Engine.IO protocol's own test suite, against the server that it expects: `examples/echo.rs`.
//!
//! Each case is run on both addresses of localhost. Those of the sessions themselves are in the Socket.IO protocol's
//! suite too, where they are run at `/socket.io`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Polling, Ws, client, url};
use crate::server::{Server, echoes};

/// Where the suites find sessions.
const PATHS: [&str; 2] = ["/engine.io", "/socket.io"];
const PING_INTERVAL: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(200);

/// What a GET brings beside pings, which are answered.
async fn polled(polling: &Polling) -> (u16, String) {
    loop {
        let (status, payload) = polling.get().await;
        let packets: Vec<&str> = payload.split('\u{1e}').filter(|packet| *packet != "2").collect();
        if packets.join("\u{1e}") == payload {
            return (status, payload);
        }
        assert_eq!(polling.post("3").await.0, 200);
        if !packets.is_empty() {
            return (status, packets.join("\u{1e}"));
        }
    }
}

/// The status of a handshake.
async fn handshake(server: &Server, method: reqwest::Method, path_and_query: &str) -> u16 {
    client().request(method, url(server, path_and_query)).send().await.unwrap().status().as_u16()
}

fn open_packet(open: &Value, upgrades: &[&str]) -> Value {
    assert!(open["sid"].is_string());
    json!({
        "sid": open["sid"], "upgrades": upgrades, "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000,
    })
}

#[actix_web::test]
async fn handshakes_over_polling() {
    for (server, path) in echoes().iter().flat_map(|server| PATHS.map(|path| (server, path))) {
        let polling = Polling::open(server, path).await;
        assert_eq!(polling.open, open_packet(&polling.open, &["websocket"]), "opens a session");
        let get =
            async |query: &str| handshake(server, reqwest::Method::GET, &format!("{path}/?{query}")).await;
        assert_eq!(get("transport=polling").await, 400, "no EIO");
        assert_eq!(get("EIO=abc&transport=polling").await, 400, "another EIO");
        assert_eq!(get("EIO=4").await, 400, "no transport");
        assert_eq!(get("EIO=4&transport=abc").await, 400, "another transport");
        for method in [reqwest::Method::POST, reqwest::Method::PUT] {
            let query = format!("{path}/?EIO=4&transport=polling");
            assert_eq!(handshake(server, method.clone(), &query).await, 400, "{method}");
        }
    }
}

#[actix_web::test]
async fn handshakes_over_websocket() {
    for (server, path) in echoes().iter().flat_map(|server| PATHS.map(|path| (server, path))) {
        let open = Ws::connect(server, path, None).await.text().await;
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open, open_packet(&open, &[]), "opens a session");
        for query in ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"] {
            let refused = Ws::try_connect(server, &format!("{path}/?{query}"), None).await;
            assert_eq!(refused.err(), Some(400), "{query}");
        }
    }
}

#[actix_web::test]
async fn messages_over_polling() {
    for server in &echoes() {
        for body in ["4hello", "4test1\u{1e}4test2\u{1e}4test3", "4hello\u{1e}bAQIDBA=="] {
            let polling = Polling::open(server, "/engine.io").await;
            assert_eq!(polling.post(body).await, (200, "ok".to_owned()));
            assert_eq!(polled(&polling).await, (200, body.to_owned()));
        }
        let polling = Polling::open(server, "/engine.io").await;
        assert_eq!(polling.post("abc").await.0, 400, "an invalid packet closes the session");
        assert_eq!(polling.get().await.0, 400);

        let polling = Polling::open(server, "/engine.io").await;
        let another = polling.another();
        let later = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            another.get().await.0
        };
        let (first, second) = tokio::join!(polling.get(), later);
        assert_eq!((first, second), ((200, "1".to_owned()), 400), "two polls at once close the session");
        assert_eq!(polling.get().await.0, 400);
    }
}

#[actix_web::test]
async fn messages_over_websocket() {
    for server in &echoes() {
        let mut ws = Ws::open(server, "/engine.io").await;
        ws.send("4hello").await;
        assert_eq!(ws.said().await, "4hello");
        ws.send_binary(&[1, 2, 3, 4]).await;
        assert_eq!(ws.binary().await, [1, 2, 3, 4]);
        ws.send("abc").await;
        ws.closed().await;
    }
}

#[actix_web::test]
async fn heartbeats() {
    for (server, path) in echoes().iter().flat_map(|server| PATHS.map(|path| (server, path))) {
        let polling = Polling::open(server, path).await;
        let mut ws = Ws::open(server, path).await;
        // Whoever enters no namespace is cut after a second.
        if path == "/socket.io" {
            polling.post("40").await;
            while !polling.get().await.1.contains("\"auth\"") {}
            ws.send("40").await;
            while !ws.text().await.contains("\"auth\"") {}
        }
        for _ in 0..3 {
            let (polled, ()) = tokio::join!(polling.get(), async {
                assert_eq!(ws.text().await, "2");
                ws.send("3").await;
            });
            assert_eq!(polled, (200, "2".to_owned()));
            assert_eq!(polling.post("3").await.0, 200);
        }
        let silent = Polling::open(server, path).await;
        // Half a timeout more than it has: a busy machine may be late with the ping.
        tokio::time::sleep(PING_INTERVAL + PING_TIMEOUT * 3 / 2).await;
        assert_eq!(silent.get().await.0, 400, "a session without pongs is closed");
        ws.closed().await;
    }
}

#[actix_web::test]
async fn clients_close() {
    for (server, path) in echoes().iter().flat_map(|server| PATHS.map(|path| (server, path))) {
        let polling = Polling::open(server, path).await;
        let another = polling.another();
        let close = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            another.post("1").await.0
        };
        let (got, posted) = tokio::join!(polling.get(), close);
        assert_eq!((got, posted), ((200, "6".to_owned()), 200));
        assert_eq!(polling.get().await.0, 400);

        let mut ws = Ws::open(server, path).await;
        ws.send("1").await;
        ws.closed().await;
    }
}

#[actix_web::test]
async fn upgrades() {
    for server in &echoes() {
        let polling = Polling::open(server, "/engine.io").await;
        let mut ws = Ws::connect(server, "/engine.io", Some(&polling.sid)).await;
        ws.send("2probe").await;
        assert_eq!(ws.text().await, "3probe");
        assert_eq!(polled(&polling).await, (200, "6".to_owned()), "the poll ends with a noop");
        ws.send("5").await;
        ws.send("4hello").await;
        assert_eq!(ws.said().await, "4hello");

        // All at once, without waiting for the probe's answer.
        let polling = Polling::open(server, "/engine.io").await;
        let mut ws = Ws::connect(server, "/engine.io", Some(&polling.sid)).await;
        for packet in ["2probe", "5", "4hello"] {
            ws.send(packet).await;
        }
        assert_eq!((ws.text().await.as_str(), ws.said().await.as_str()), ("3probe", "4hello"));
        assert_eq!(polling.get().await.0, 400, "requests of the same session are refused");
        ws.send("4hello").await;
        assert_eq!(ws.said().await, "4hello");
        Ws::connect(server, "/engine.io", Some(&polling.sid)).await.closed().await;
        ws.send("4hello").await;
        assert_eq!(ws.said().await, "4hello", "another WebSocket of the same session changes nothing");

        let polling = Polling::open(server, "/socket.io").await;
        let mut ws = Ws::connect(server, "/socket.io", Some(&polling.sid)).await;
        for packet in ["2probe", "5", "40"] {
            ws.send(packet).await;
        }
        assert_eq!(ws.text().await, "3probe");
        assert!(ws.said().await.starts_with("40{"));
        assert_eq!(polling.get().await.0, 400);
        Ws::connect(server, "/socket.io", Some(&polling.sid)).await.closed().await;
    }
}
