//! Engine.IO v4 over WebSocket.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use realtime::{EngineConfig, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};

use crate::client::Ws;
use crate::server::{engine_config, quiet, start_engine, until};

#[actix_web::test]
async fn text_and_bytes_come_back() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    ws.send("4hello €").await;
    assert_eq!(ws.text().await, "4hello €");
    for length in [0, 1, 125, 126, 65_535, 65_536, 900_000] {
        let data = vec![7; length];
        ws.send_binary(&data).await;
        assert!(ws.binary().await == data, "{length}");
    }
}

#[actix_web::test]
async fn a_noop_is_passed_over() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    for packet in ["6", "4between", "6"] {
        ws.send(packet).await;
    }
    assert_eq!(ws.text().await, "4between");
    ws.silence().await;
}

#[actix_web::test]
async fn a_message_in_fragments_is_one_message() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    for (data, code, is_last) in
        [("4he", Data::Text, false), ("ll", Data::Continue, false), ("o", Data::Continue, true)]
    {
        let frame = Frame::message(data, OpCode::Data(code), is_last);
        ws.0.send(Message::Frame(frame)).await.unwrap();
        ws.0.send(Message::Ping("between".into())).await.unwrap();
    }
    assert_eq!(ws.text().await, "4hello");
}

#[actix_web::test]
async fn a_websocket_ping_is_answered_with_its_data() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    ws.0.send(Message::Ping("abc".into())).await.unwrap();
    assert_eq!(ws.0.next().await.unwrap().unwrap(), Message::Pong("abc".into()));
}

#[actix_web::test]
async fn what_breaks_the_protocol_ends_the_connection() {
    let (server, echo, _) = start_engine(quiet(engine_config())).await;
    for text in ["abc", "", "0{}", "2", "2probe", "5", "11"] {
        let mut ws = Ws::open(&server, "/engine.io").await;
        ws.send(text).await;
        ws.closed().await;
    }
    let frames = [
        Frame::message("x", OpCode::Data(Data::Continue), true),
        Frame::message(vec![b'4', 0xff], OpCode::Data(Data::Text), true),
    ];
    for frame in frames {
        let mut ws = Ws::open(&server, "/engine.io").await;
        ws.0.send(Message::Frame(frame)).await.unwrap();
        ws.closed().await;
    }
    let ended = echo.ended.lock().unwrap();
    assert_eq!(*ended, [Reason::TransportError; 9]);
}

/// A raw connection after its handshake, for frames that no client library sends.
async fn raw(server: &crate::server::Server) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let request = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                   Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 2_000];
    assert!(stream.read(&mut head).await.unwrap() > 0);
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

#[actix_web::test]
async fn a_frame_that_no_client_may_send_ends_the_connection() {
    let (server, echo, _) = start_engine(quiet(engine_config())).await;
    let long_ping = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
    let frames: [(&str, &[u8]); 5] = [
        ("not masked", &[0x81, 1, b'4']),
        ("a long ping", &long_ping),
        ("a ping in fragments", &[0x09, 0x80, 0, 0, 0, 0]),
        ("an unknown kind", &[0x83, 0x81, 0, 0, 0, 0, b'4']),
        ("a reserved bit", &[0xc1, 0x81, 0, 0, 0, 0, b'4']),
    ];
    for (number, (what, frame)) in frames.into_iter().enumerate() {
        let mut stream = raw(&server).await;
        stream.write_all(frame).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(*echo.ended.lock().unwrap(), vec![Reason::TransportError; number + 1], "{what}");
    }
}

#[actix_web::test]
async fn a_frame_that_says_it_is_huge_is_not_waited_for() {
    let (server, echo, _) =
        start_engine(EngineConfig { max_payload: 10_000, ..quiet(engine_config()) }).await;
    let mut stream = raw(&server).await;
    stream.write_all(&[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
    let is_cut = || !echo.ended.lock().unwrap().is_empty();
    let mut written = 0;
    while !is_cut() && written < 50_000_000 && stream.write_all(&[0; 4_096]).await.is_ok() {
        written += 4_096;
        tokio::task::yield_now().await;
    }
    until("it is cut, long before the four gigabytes", is_cut).await;
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::TransportError]);
}

#[actix_web::test]
async fn a_message_that_is_too_large_ends_the_connection_also_in_fragments() {
    let (server, ..) = start_engine(EngineConfig { max_payload: 1_000, ..quiet(engine_config()) }).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    ws.send_binary(&[0; 1_000]).await;
    assert_eq!(ws.binary().await.len(), 1_000);
    ws.send_binary(&[0; 1_001]).await;
    ws.closed().await;

    let mut ws = Ws::open(&server, "/engine.io").await;
    for (code, is_last) in [(Data::Binary, false), (Data::Continue, false), (Data::Continue, true)] {
        let frame = Frame::message(vec![0; 400], OpCode::Data(code), is_last);
        if ws.0.send(Message::Frame(frame)).await.is_err() {
            break;
        }
    }
    ws.closed().await;
}

#[actix_web::test]
async fn the_server_pings_and_a_client_that_does_not_pong_is_cut() {
    let (server, echo, _) = start_engine(engine_config()).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    for _ in 0..3 {
        assert_eq!(ws.text().await, "2");
        ws.send("3").await;
    }
    let began = Instant::now();
    ws.closed().await;
    assert!(began.elapsed() > Duration::from_millis(450));
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::PingTimeout]);
}

#[actix_web::test]
async fn a_client_may_close_by_packet_by_frame_or_by_going() {
    let (server, echo, engine) = start_engine(quiet(engine_config())).await;
    let mut by_packet = Ws::open(&server, "/engine.io").await;
    by_packet.send("1").await;
    by_packet.closed().await;
    let mut by_frame = Ws::open(&server, "/engine.io").await;
    by_frame.0.close(None).await.unwrap();
    by_frame.closed().await;
    drop(Ws::open(&server, "/engine.io").await);
    until("all have ended", || echo.ended.lock().unwrap().len() == 3).await;
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::TransportClose; 3]);
    assert_eq!(engine.connections(), 0);
}

#[actix_web::test]
async fn a_server_that_goes_down_closes_with_1001() {
    let (server, _, engine) = start_engine(quiet(engine_config())).await;
    let mut ws = Ws::open(&server, "/engine.io").await;
    ws.send("4last words").await;
    assert_eq!(ws.text().await, "4last words");
    let (closing, message) = tokio::join!(engine.close_all(Duration::ZERO), ws.0.next());
    let () = closing;
    let Message::Close(Some(CloseFrame { code, .. })) = message.unwrap().unwrap() else {
        panic!("a close frame")
    };
    assert_eq!(u16::from(code), 1001);
}

#[actix_web::test]
async fn a_client_that_never_answers_our_close_frame_is_let_go() {
    let (server, _, engine) =
        start_engine(EngineConfig { linger: Duration::from_millis(100), ..quiet(engine_config()) }).await;
    let mut stream = raw(&server).await;
    engine.close_all(Duration::ZERO).await;
    let began = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(&[0x88, 2, 3, 0xe9]), "{rest:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
}
