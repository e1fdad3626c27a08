//! Whatever bytes a client sends, taking them in costs memory in proportion, with one factor for all of them.
//!
//! This program counts every byte that it allocates: the server's HTTP, its decoders, its answers, and the test's client,
//! which allocates next to nothing. What is freed again is counted all the same, so the height at any moment is below.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::alloc::System;
use std::time::Duration;

use actix_web::{App, HttpServer};
use async_trait::async_trait;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use realtime::{
    Admission, Config, ConnectRequest, EngineConfig, Event, Namespace, Origins, Realtime, Refused, Socket,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes allocated at most for each byte that a client sends: JSON of the shortest values there are, read, kept and
/// answered.
const EACH: usize = 160;
/// Bytes allocated at most for each packet, of which one has three bytes at least: an answer of its own.
const PACKET: usize = 4 * 1024;
/// Bytes allocated at most for whatever comes: of polling, the buffers of four HTTP connections.
const ANYWAY: usize = 256 * 1024;
/// The longest input of these tests, in bytes.
const LONGEST: usize = 60_000;

/// Says back what it hears.
struct Echo;

#[async_trait]
impl Namespace for Echo {
    async fn admit(&self, _request: &ConnectRequest) -> Result<Admission, Refused> {
        Ok(Admission::new("anybody"))
    }

    async fn event(&self, socket: &Socket, event: Event) {
        socket.emit("back", &event.args).unwrap();
        if let Some(ack) = event.ack {
            ack.send(&event.args);
        }
    }
}

fn start() -> (String, Realtime) {
    let engine = EngineConfig {
        path: "/socket.io".to_owned(),
        ping_interval: Duration::from_secs(600),
        origins: Origins::Any,
        ..EngineConfig::default()
    };
    let config = Config { engine, connect_timeout: Duration::from_secs(600), ..Config::default() };
    let realtime = Realtime::builder().config(config).namespace("/", Echo).build().unwrap();
    let mounted = realtime.clone();
    let server = HttpServer::new(move || App::new().configure(|app| mounted.configure(app)));
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0].to_string();
    drop(actix_web::rt::spawn(server.run()));
    (address, realtime)
}

/// A piece again and again, up to a length.
fn again(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

/// Payloads of packets: some that make decoders work hardest for their length, and whatever else there is.
fn packets() -> impl Strategy<Value = String> {
    let length = 1..LONGEST;
    prop_oneof![
        length.clone().prop_map(|length| format!("42[\"a\",{}1]", again("1,", length))),
        length.clone().prop_map(|length| format!("427[\"a\",{}1]", again("1,", length))),
        length.clone().prop_map(|length| format!("42[\"a\",[{}[]]]", again("[],", length))),
        length.clone().prop_map(|length| format!("42[\"a\",{}]", again("[", length))),
        length.clone().prop_map(|length| format!("42[\"a\",{{{}\"b\":1}}]", again("\"a\":1,", length))),
        length.clone().prop_map(|length| format!("42[\"{}\"]", again("\\u0041", length))),
        length.clone().prop_map(|length| format!("43{}[{}1]", 7, again("1,", length))),
        length.clone().prop_map(|length| format!("40/{}", again("a", length))),
        length.clone().prop_map(|length| format!("40{{\"a\":[{}1]}}", again("1,", length))),
        length.clone().prop_map(|length| format!("4{}", again("9", length))),
        Just("45999999999-[\"x\"]".to_owned()),
        "\\PC{0,2000}",
        "4[0-6][0-9]?-?(/[a-z]{0,4},)?[0-9]{0,3}[\\[{\"a-z0-9,:}\\]]{0,200}",
    ]
}

/// A packet with an attachment: its placeholders are looked for in the whole of it.
fn with_attachment() -> impl Strategy<Value = (String, Vec<u8>)> {
    let json = (1..LONGEST).prop_flat_map(|length| {
        prop_oneof![
            Just(format!("451-[\"a\",{}1]", again("1,", length))),
            Just(format!("451-[\"a\",[{}[]]]", again("[],", length))),
            Just(format!("451-[\"a\",{}1]", again("{\"_placeholder\":true,\"num\":0},", length))),
            Just(format!("451-7[\"a\",{{{}\"b\":1}}]", again("\"a\":1,", length))),
        ]
    });
    (json, proptest::collection::vec(any::<u8>(), 1..1_000))
}

fn samples<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// A frame of a client, masked with zeros.
fn frame(code: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | code];
    match (u8::try_from(data.len()), u16::try_from(data.len())) {
        (Ok(length @ ..126), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => panic!("these tests send short frames"),
    }
    frame.extend([0; 4]);
    frame.extend(data);
    frame
}

/// Sends these bytes over a WebSocket that is in the main namespace and then goes; gives what was allocated meanwhile.
async fn over_websocket(address: &str, realtime: &Realtime, sent: &[u8]) -> usize {
    let before = ALLOCATOR.stats().bytes_allocated;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'4', b'0']).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    // The server may end it at any moment.
    let write = async {
        let _ = writer.write_all(sent).await;
        // Also where this is taken for the rest of a frame that has not come in full.
        let _ = writer.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await;
        let _ = writer.shutdown().await;
    };
    let read = async {
        let mut some = [0; 8 * 1024];
        while reader.read(&mut some).await.is_ok_and(|length| length > 0) {}
    };
    tokio::join!(write, read);
    while realtime.connections() > 0 {
        tokio::task::yield_now().await;
    }
    ALLOCATOR.stats().bytes_allocated - before
}

/// Sends a body as a POST of a connection in the main namespace; gives what was allocated meanwhile.
async fn over_polling(address: &str, body: &[u8]) -> usize {
    let before = ALLOCATOR.stats().bytes_allocated;
    let path = "/socket.io/?EIO=4&transport=polling";
    let open = ask(address, &format!("GET {path}"), b"").await;
    let sid = open.split("\"sid\":\"").nth(1).unwrap().split('"').next().unwrap();
    ask(address, &format!("POST {path}&sid={sid}"), b"40").await;
    ask(address, &format!("POST {path}&sid={sid}"), body).await;
    ask(address, &format!("POST {path}&sid={sid}"), b"1").await;
    ALLOCATOR.stats().bytes_allocated - before
}

async fn ask(address: &str, what: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::with_capacity(1_000);
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// What was sent, in bytes and packets, and what was allocated for it.
struct Cost {
    sent: usize,
    packets: usize,
    allocated: usize,
}

#[track_caller]
fn assert_bounded(what: &str, cost: &Cost) {
    let Cost { sent, packets, allocated } = cost;
    let most = EACH * sent + PACKET * packets + ANYWAY;
    assert!(
        *allocated <= most,
        "{sent} bytes in {packets} packets made it allocate {allocated}: {what:.200}"
    );
}

/// One test, because what others allocate beside it would count too.
#[actix_web::test]
async fn taking_in_whatever_comes_allocates_in_proportion_to_it() {
    let (address, realtime) = start();
    let websocket = async |what: &str, sent: &[u8], packets: usize| {
        let allocated = over_websocket(&address, &realtime, sent).await;
        assert_bounded(what, &Cost { sent: sent.len(), packets, allocated });
    };
    let polling = async |what: &str, sent: &[u8], packets: usize| {
        let allocated = over_polling(&address, sent).await;
        assert_bounded(what, &Cost { sent: sent.len(), packets, allocated });
    };
    // What is made once, by the first who comes.
    over_websocket(&address, &realtime, &[]).await;
    over_polling(&address, b"4").await;
    for packet in samples(packets(), 80) {
        websocket(&packet, &frame(1, packet.as_bytes()), 1).await;
        polling(&packet, packet.as_bytes(), 1).await;
    }
    for (packet, data) in samples(with_attachment(), 30) {
        websocket(&packet, &[frame(1, packet.as_bytes()), frame(2, &data)].concat(), 2).await;
    }
    for bytes in samples(proptest::collection::vec(any::<u8>(), 0..5_000), 40) {
        // No more packets than that are in so many bytes.
        websocket("bytes", &bytes, bytes.len() / 3).await;
        polling("bytes", &bytes, bytes.len() / 3).await;
    }
    // Many small packets, each of which is answered.
    for packet in
        ["42[\"a\"]", "421[\"a\"]", "40", "40/a", "40/a,{}", "41", "43", "6", "4", "3", "b", "bAQ=="]
    {
        for count in [1, 100, 2_000] {
            websocket(packet, &frame(1, packet.as_bytes()).repeat(count), count).await;
            polling(packet, vec![packet; count].join("\u{1e}").as_bytes(), count).await;
        }
    }
}
