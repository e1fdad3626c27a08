//! Engine.IO v4 over long-polling.

use std::time::{Duration, Instant};

use realtime::{EngineConfig, Reason};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Polling, client, url};
use crate::server::{Server, engine_config, quiet, start_engine, until};

#[actix_web::test]
async fn packets_of_every_kind_come_back_in_their_order() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    for body in ["4hello", "4test1\u{1e}4test2\u{1e}4test3", "4hello\u{1e}bAQIDBA==", "4€ ünï", "4", "b"]
    {
        assert_eq!(polling.post(body).await, (200, "ok".to_owned()));
        assert_eq!(polling.get().await, (200, body.to_owned()));
    }
}

#[actix_web::test]
async fn a_noop_is_passed_over() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    assert_eq!(polling.post("6\u{1e}4between\u{1e}6").await.0, 200);
    assert_eq!(polling.get().await, (200, "4between".to_owned()));
}

#[actix_web::test]
async fn a_get_waits_for_a_packet() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let another = polling.another();
    let later = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        another.post("4late").await
    };
    let began = Instant::now();
    let (got, posted) = tokio::join!(polling.get(), later);
    assert_eq!((got.1.as_str(), posted.1.as_str()), ("4late", "ok"));
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[actix_web::test]
async fn a_malformed_packet_ends_the_session() {
    let (server, echo, _) = start_engine(quiet(engine_config())).await;
    let bodies: [&[u8]; 9] =
        [b"abc", b"", b"4a\x1eabc", b"\x1e", b"0{}", b"2", b"5", b"b!!!", &[b'4', 0xff, 0xfe]];
    for body in bodies {
        let polling = Polling::open(&server, "/engine.io").await;
        assert_eq!(polling.post(body).await.0, 400, "{body:?}");
        assert_eq!(polling.get().await.0, 400, "{body:?}");
        assert_eq!(polling.post("4a").await.0, 400, "{body:?}");
    }
    assert!(echo.ended.lock().unwrap().iter().all(|reason| *reason == Reason::TransportError));
}

#[actix_web::test]
async fn a_body_of_bytes_ends_the_session() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let target = url(&server, &format!("/engine.io/?EIO=4&transport=polling&sid={}", polling.sid));
    let posted = client().post(target).header("content-type", "application/octet-stream").body("4a");
    assert_eq!(posted.send().await.unwrap().status(), 400);
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_second_get_at_once_ends_the_session() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let another = polling.another();
    let second = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        another.get().await.0
    };
    let (first, second) = tokio::join!(polling.get(), second);
    assert_eq!((first, second), ((200, "1".to_owned()), 400));
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_second_post_at_once_ends_the_session() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    // One whose body has not come in full.
    let mut slow = raw_post(&server, &polling.sid, "content-length: 10").await;
    slow.write_all(b"4slow").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(polling.post("4a").await.0, 400);
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_cancelled_get_ends_the_session_at_the_latest_with_the_next() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let cancelled = tokio::time::timeout(Duration::from_millis(50), polling.get()).await;
    assert!(cancelled.is_err());
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let (server, ..) = start_engine(EngineConfig { max_payload: 1_000, ..quiet(engine_config()) }).await;
    let polling = Polling::open(&server, "/engine.io").await;
    assert_eq!(polling.post(format!("4{}", "x".repeat(999))).await.0, 200);
    assert_eq!(polling.get().await.1.len(), 1_000);
    assert_eq!(polling.post(format!("4{}", "x".repeat(1_000))).await.0, 413);

    // Without a length: refused as soon as it is longer, though it never ends.
    let polling = Polling::open(&server, "/engine.io").await;
    let mut endless = raw_post(&server, &polling.sid, "transfer-encoding: chunked").await;
    let (mut reader, mut writer) = endless.split();
    let write = async {
        let mut written = 0;
        while written < 100_000_000 && writer.write_all(b"4\r\n4abc\r\n").await.is_ok() {
            written += 9;
        }
        written
    };
    let read = async {
        let mut answer = vec![0; 200];
        let length = reader.read(&mut answer).await.unwrap_or_default();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    let answer = tokio::select! {
        written = write => panic!("{written} bytes were taken"),
        answer = read => answer,
    };
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_does_not_come_in_time_ends_the_session() {
    let config = EngineConfig { read_timeout: Duration::from_millis(200), ..quiet(engine_config()) };
    let (server, echo, engine) = start_engine(config).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let began = Instant::now();
    let mut slow = raw_post(&server, &polling.sid, "content-length: 10").await;
    slow.write_all(b"4slow").await.unwrap();
    let answer = whole_answer(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() >= Duration::from_millis(200));
    until("it has ended", || engine.connections() == 0).await;
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::TransportError]);
    assert_eq!(polling.get().await.0, 400);
}

#[actix_web::test]
async fn a_body_is_not_waited_for_once_the_session_has_ended() {
    let (server, echo, _) = start_engine(engine_config()).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let mut slow = raw_post(&server, &polling.sid, "content-length: 10").await;
    slow.write_all(b"4slow").await.unwrap();
    // No pong comes: the session ends long before the body's five seconds.
    let answer = whole_answer(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("The session has ended"), "{answer}");
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::PingTimeout]);
}

#[actix_web::test]
async fn a_client_between_two_gets_hears_with_the_next_that_the_session_ended() {
    let config = EngineConfig { linger: Duration::from_secs(60), ..quiet(engine_config()) };
    let (server, _, engine) = start_engine(config).await;
    let polling = Polling::open(&server, "/engine.io").await;
    assert_eq!(polling.post("4last words").await.0, 200);
    engine.close_all(Duration::ZERO).await;
    assert_eq!(engine.connections(), 0, "it counts no more");
    assert_eq!(polling.post("4a").await.0, 400);
    assert_eq!(polling.get().await, (200, "4last words\u{1e}1".to_owned()));
    assert_eq!(polling.get().await.0, 400, "that was all");
}

#[actix_web::test]
async fn a_session_that_ended_is_forgotten_when_nobody_asks() {
    let config = EngineConfig { linger: Duration::from_millis(50), ..quiet(engine_config()) };
    let (server, _, engine) = start_engine(config).await;
    let polling = Polling::open(&server, "/engine.io").await;
    engine.close_all(Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(polling.get().await.0, 400);
}

/// Everything until the server closes the line, which it must do within a few seconds.
async fn whole_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(4), stream.read_to_end(&mut answer)).await;
    read.expect("the line is closed in time").unwrap();
    String::from_utf8(answer).unwrap()
}

/// A POST whose body the test writes by itself.
async fn raw_post(server: &Server, sid: &str, header: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let head =
        format!("POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[actix_web::test]
async fn the_server_pings_and_the_session_lives_as_long_as_the_client_pongs() {
    let (server, ..) = start_engine(engine_config()).await;
    let polling = Polling::open(&server, "/engine.io").await;
    for _ in 0..3 {
        let began = Instant::now();
        assert_eq!(polling.get().await, (200, "2".to_owned()));
        let waited = began.elapsed();
        assert!(waited > Duration::from_millis(250) && waited < Duration::from_millis(450), "{waited:?}");
        assert_eq!(polling.post("3").await.0, 200);
    }
}

#[actix_web::test]
async fn a_session_without_pongs_ends() {
    let (server, echo, engine) = start_engine(engine_config()).await;
    let polling = Polling::open(&server, "/engine.io").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(polling.get().await.0, 400);
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::PingTimeout]);
    assert_eq!(engine.connections(), 0);
}

#[actix_web::test]
async fn a_client_that_closes_gets_its_pending_get_back() {
    let (server, echo, _) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let another = polling.another();
    let close = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        another.post("1").await
    };
    let (got, posted) = tokio::join!(polling.get(), close);
    assert_eq!((got, posted), ((200, "6".to_owned()), (200, "ok".to_owned())));
    assert_eq!(polling.get().await.0, 400);
    assert_eq!(*echo.ended.lock().unwrap(), [Reason::TransportClose]);
}

#[actix_web::test]
async fn a_server_that_goes_down_tells_its_clients_over_the_time_given() {
    let (server, echo, engine) = start_engine(quiet(engine_config())).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Polling::open(&server, "/engine.io").await);
    }
    let gets: Vec<_> = clients
        .iter()
        .map(Polling::another)
        .map(|polling| actix_web::rt::spawn(async move { polling.get().await }))
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let began = Instant::now();
    engine.close_all(Duration::from_millis(200)).await;
    assert!(began.elapsed() >= Duration::from_millis(150));
    for get in gets {
        assert_eq!(get.await.unwrap(), (200, "1".to_owned()));
    }
    until("all have ended", || echo.ended.lock().unwrap().len() == 4).await;
    let late = client().get(url(&server, "/engine.io/?EIO=4&transport=polling")).send().await.unwrap();
    assert_eq!(late.status(), 503);
}
