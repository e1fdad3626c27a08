//! A client that does not read is cut, and nobody waits for it.

use std::time::{Duration, Instant};

use realtime::{Builder, Config, EngineConfig, Realtime, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::client::{Polling, Ws};
use crate::server::{Server, Way, config, start, start_in, until};

/// A stream for whose client the kernel keeps this many bytes, instead of tens of megabytes.
async fn narrow(server: &Server, bytes: u32) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(bytes).unwrap();
    socket.connect(server.address.parse().unwrap()).await.unwrap()
}

const ENTER: [u8; 8] = [0x81, 0x82, 0, 0, 0, 0, b'4', b'0'];

/// Enters the main namespace and then reads nothing. Who asks to enter with the handshake already is written to through the
/// HTTP server for good: nothing proves that it has read that.
async fn stuck(server: &Server, at_once: bool) -> TcpStream {
    let mut stream = narrow(server, 4_096).await;
    let request = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                   Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let first = if at_once { [request.as_bytes(), &ENTER].concat() } else { request.into() };
    stream.write_all(&first).await.unwrap();
    // The open packet ends so.
    while stream.read_u8().await.unwrap() != b'}' {}
    if !at_once {
        stream.write_all(&ENTER).await.unwrap();
    }
    stream
}

#[actix_web::test]
async fn a_stuck_reader_is_cut_at_its_bytes_and_the_others_are_served() {
    for way in [Way::Through, Way::Straight] {
        cut_at_its_bytes(way).await;
    }
}

async fn cut_at_its_bytes(way: Way) {
    let (server, realtime, lab) = start_in(way, Realtime::builder().config(config())).await;
    let mut stuck = stuck(&server, false).await;
    let handle = realtime.handle();
    until("the stuck one is in", || handle.everybody().sockets().len() == 1).await;
    let (mut healthy, _) = Ws::enter(&server, "").await;
    let text = "x".repeat(8_000);
    let mut slowest = Duration::ZERO;
    let mut sent = 0;
    // Some megabytes fit into the kernel's buffers before our own queue grows.
    while lab.gone.lock().unwrap().is_empty() {
        let began = Instant::now();
        handle.everybody().emit("n", &text).unwrap();
        assert_eq!(healthy.text().await.len(), text.len() + 10);
        slowest = slowest.max(began.elapsed());
        sent += text.len();
        assert!(sent < 200_000_000, "it is never cut");
    }
    assert_eq!(*lab.gone.lock().unwrap(), [Reason::SlowConsumer]);
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    assert_eq!(handle.everybody().sockets().len(), 1);
    // When it reads again, it finds what the kernel still had, and the end.
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stuck.read_to_end(&mut rest)).await;
    assert!(read.is_ok());
}

#[actix_web::test]
async fn a_poller_that_does_not_poll_is_cut_at_its_bytes() {
    let (server, realtime, lab) = start(config()).await;
    let polling = Polling::open(&server, "/socket.io").await;
    polling.post("40").await;
    polling.get().await;
    let text = "x".repeat(10_000);
    let mut sent = 0;
    while lab.gone.lock().unwrap().is_empty() && sent < 200 {
        realtime.handle().everybody().emit("n", &text).unwrap();
        sent += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(*lab.gone.lock().unwrap(), [Reason::SlowConsumer]);
    assert!((104..=110).contains(&sent), "1 MiB is 104 of these: {sent}");
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_volatile_event_is_dropped_while_others_wait() {
    let (server, realtime, _) = start(config()).await;
    let polling = Polling::open(&server, "/socket.io").await;
    polling.post("40").await;
    polling.get().await;
    let handle = realtime.handle();
    handle.everybody().volatile().emit("v", &1).unwrap();
    handle.everybody().volatile().emit("v", &2).unwrap();
    handle.everybody().emit("n", &3).unwrap();
    let socket = handle.everybody().sockets().remove(0);
    socket.emit_volatile("v", &realtime::Args::one(&4).unwrap()).unwrap();
    // Looking at the room hands out what was emitted before.
    assert_eq!(handle.everybody().sockets().len(), 1);
    assert_eq!(polling.get().await.1, "42[\"v\",1]\u{1e}42[\"n\",3]");
    handle.everybody().volatile().emit("v", &5).unwrap();
    assert_eq!(polling.get().await.1, "42[\"v\",5]");
}

#[actix_web::test]
async fn a_volatile_event_is_dropped_by_a_websocket_too_while_others_wait() {
    for way in [Way::Through, Way::Straight] {
        dropped_while_others_wait(way).await;
    }
}

/// All that goes out at once must wait somewhere.
fn with_room() -> Builder {
    let engine = EngineConfig { max_queue: 64 << 20, ..config().engine };
    Realtime::builder().config(Config { engine, ..config() })
}

async fn dropped_while_others_wait(way: Way) {
    const TEXTS: usize = 4_000;
    let (server, realtime, _) = start_in(way, with_room()).await;
    let (mut slow, _) = Ws::enter(&server, "").await;
    let handle = realtime.handle();
    // More than the kernel takes of a client that does not read.
    let text = "x".repeat(8_000);
    for _ in 0..TEXTS {
        handle.everybody().emit("n", &text).unwrap();
    }
    handle.everybody().volatile().emit("v", &1).unwrap();
    handle.everybody().emit("last", &2).unwrap();
    for _ in 0..TEXTS {
        assert!(slow.text().await.starts_with("42[\"n\""));
    }
    assert_eq!(slow.text().await, "42[\"last\",2]");
    handle.everybody().volatile().emit("v", &3).unwrap();
    assert_eq!(slow.text().await, "42[\"v\",3]");
}

/// What waits for a client is no reason not to hear it: here it leaves while most of that still waits, and reads as fast as
/// it can, so that the server is never held up.
#[actix_web::test]
async fn a_client_for_whom_much_waits_is_heard() {
    for way in [Way::Through, Way::Straight] {
        heard_while_much_waits(way).await;
    }
}

async fn heard_while_much_waits(way: Way) {
    const TEXTS: usize = 6_000;
    let (server, realtime, lab) = start_in(way, with_room()).await;
    let mut slow = Ws::enter_over(narrow(&server, 262_144).await, &server).await;
    let text = "x".repeat(8_000);
    for _ in 0..TEXTS {
        realtime.handle().everybody().emit("n", &text).unwrap();
    }
    // Until the kernel's share is read too, and the server writes as fast as this reads.
    for _ in 0..TEXTS / 6 {
        slow.text().await;
    }
    slow.send("41").await;
    let mut read = 0;
    while lab.gone.lock().unwrap().is_empty() {
        slow.text().await;
        read += 1;
        // The server's side of the kernel has taken up to four megabytes, which are 520 texts.
        assert!(read < TEXTS / 4, "it is not heard before all is written");
    }
    assert_eq!(*lab.gone.lock().unwrap(), [Reason::ClientLeft]);
}

/// A client that is never able to take what waits: its connection goes soon after it was cut.
#[actix_web::test]
async fn the_connection_of_a_stuck_reader_is_closed() {
    for at_once in [false, true] {
        closed_though_it_reads_nothing(at_once).await;
    }
}

async fn closed_though_it_reads_nothing(at_once: bool) {
    let engine = EngineConfig { linger: Duration::from_millis(100), ..config().engine };
    let (server, realtime, lab) = start(Config { engine, ..config() }).await;
    let mut stuck = stuck(&server, at_once).await;
    let handle = realtime.handle();
    until("the stuck one is in", || handle.everybody().sockets().len() == 1).await;
    let text = "x".repeat(100_000);
    let mut sent = 0;
    while lab.gone.lock().unwrap().is_empty() {
        handle.everybody().emit("n", &text).unwrap();
        // Slowly, so that it is the kernel that takes no more, and not the server that has not come to it.
        tokio::time::sleep(Duration::from_millis(1)).await;
        sent += 1;
        assert!(sent < 10_000, "it is never cut");
    }
    // Its side is not read, so that the server cannot write; what it writes itself is refused in the end.
    let closed = async {
        while stuck.write_all(&[0x89, 0x80, 0, 0, 0, 0]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("it is closed");
}
