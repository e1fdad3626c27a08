//! From long-polling to WebSocket.

use std::time::Duration;

use crate::client::{Polling, Ws};
use crate::server::{engine_config, quiet, start_engine};

async fn upgraded(server: &crate::server::Server) -> (Polling, Ws) {
    let polling = Polling::open(server, "/engine.io").await;
    let mut ws = Ws::connect(server, "/engine.io", Some(&polling.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    ws.send("5").await;
    ws.send("4hello").await;
    assert_eq!(ws.text().await, "4hello");
    (polling, ws)
}

#[actix_web::test]
async fn a_connection_moves_to_a_websocket_and_polls_are_refused() {
    let (server, _, engine) = start_engine(quiet(engine_config())).await;
    let (polling, mut ws) = upgraded(&server).await;
    assert_eq!(polling.get().await.0, 400);
    assert_eq!(polling.post("4late").await.0, 400);
    ws.send("4still here").await;
    assert_eq!(ws.text().await, "4still here");
    assert_eq!(engine.connections(), 1);
}

#[actix_web::test]
async fn a_pending_get_comes_back_with_a_noop() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let another = polling.another();
    let pending = actix_web::rt::spawn(async move { another.get().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut ws = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!pending.is_finished(), "a WebSocket that has not asked changes nothing");
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    assert_eq!(pending.await.unwrap(), (200, "6".to_owned()));
    assert_eq!(polling.get().await, (200, "6".to_owned()), "a later GET must not hold the upgrade up either");
    ws.send("5").await;
    ws.send("4a").await;
    assert_eq!(ws.text().await, "4a");
}

#[actix_web::test]
async fn what_waits_during_the_upgrade_arrives_once_and_in_order() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    assert_eq!(polling.post("4one\u{1e}4two").await.0, 200);
    let mut ws = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    assert_eq!(polling.post("4three").await.0, 200);
    ws.send("5").await;
    for expected in ["4one", "4two", "4three"] {
        assert_eq!(ws.text().await, expected);
    }
}

#[actix_web::test]
async fn a_second_websocket_is_closed_and_the_first_is_undisturbed() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let (polling, mut ws) = upgraded(&server).await;
    Ws::connect(&server, "/engine.io", Some(&polling.sid)).await.closed().await;
    ws.send("4a").await;
    assert_eq!(ws.text().await, "4a");

    let polling = Polling::open(&server, "/engine.io").await;
    let mut first = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
    first.send("2probe").await;
    assert_eq!(first.text().await, "3probe");
    Ws::connect(&server, "/engine.io", Some(&polling.sid)).await.closed().await;
    first.send("5").await;
    first.send("4b").await;
    assert_eq!(first.text().await, "4b");
}

#[actix_web::test]
async fn a_probe_that_goes_wrong_leaves_polling_as_it_was() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    for wrong in [&["5"][..], &["4hello"], &["2"], &["2probe", "2probe"], &["2probe", "4x"]] {
        let mut ws = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
        for text in wrong {
            ws.send(text).await;
        }
        ws.closed().await;
        assert_eq!(polling.post("4a").await.0, 200, "{wrong:?}");
        assert_eq!(polling.get().await, (200, "4a".to_owned()), "{wrong:?}");
    }
}

#[actix_web::test]
async fn a_probe_that_takes_too_long_is_closed_and_another_may_come() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let mut ws = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
    ws.closed().await;
    assert_eq!(polling.post("4a").await.0, 200);
    assert_eq!(polling.get().await, (200, "4a".to_owned()));
    upgraded(&server).await;
}

#[actix_web::test]
async fn a_client_that_goes_while_probing_may_probe_again() {
    let (server, ..) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    drop(Ws::connect(&server, "/engine.io", Some(&polling.sid)).await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut ws = Ws::connect(&server, "/engine.io", Some(&polling.sid)).await;
    ws.send("2probe").await;
    assert_eq!(ws.text().await, "3probe");
}
