//! Rooms: who gets what, and who is put out.

use std::time::{Duration, Instant};

use realtime::{Id, Reason};

use crate::client::Ws;
use crate::server::{config, start, until};

async fn joined(server: &crate::server::Server, name: &str, rooms: &[&str]) -> Ws {
    let (mut ws, _) = Ws::enter(server, &format!("{{\"name\":\"{name}\"}}")).await;
    for (number, room) in rooms.iter().enumerate() {
        ws.send(&format!("42{number}[\"join\",\"{room}\"]")).await;
        ws.text().await;
    }
    ws
}

#[actix_web::test]
async fn an_emit_reaches_its_rooms_once_and_nobody_else() {
    let (server, realtime, _) = start(config()).await;
    let mut a = joined(&server, "a", &["x", "y"]).await;
    let mut b = joined(&server, "b", &["y"]).await;
    let mut c = joined(&server, "c", &[]).await;
    let (mut elsewhere, _) = Ws::enter(&server, "").await;
    elsewhere.send("41").await;
    elsewhere.send("40/custom").await;
    elsewhere.text().await;
    let handle = realtime.handle();
    let id: Id = handle.to("user:b").sockets()[0].id();

    handle.to("x").and("y").and("none").emit("one", &1).unwrap();
    handle.to("y").except("x").emit("two", &2).unwrap();
    handle.everybody().except_socket(id).emit("three", &3).unwrap();
    handle.socket(id).unwrap().emit("four", &realtime::Args::one(&4).unwrap()).unwrap();
    handle.everybody().emit("end", &0).unwrap();
    for (ws, expected) in
        [(&mut a, &["one", "three"][..]), (&mut b, &["one", "two", "four"]), (&mut c, &["three"])]
    {
        for name in expected {
            let text = ws.text().await;
            assert!(text.starts_with(&format!("42[\"{name}\",")), "{text}");
        }
        assert_eq!(ws.text().await, "42[\"end\",0]");
    }
    elsewhere.silence().await;
    assert!(handle.of("/nowhere").is_none());
}

#[actix_web::test]
async fn who_left_a_room_gets_nothing_more_and_keeps_what_was_sent_before() {
    let (server, realtime, _) = start(config()).await;
    let mut ws = joined(&server, "a", &["x", "y", "z"]).await;
    let handle = realtime.handle();
    let socket = handle.to("x").sockets().remove(0);
    for number in 0..50 {
        handle.to("x").emit("n", &number).unwrap();
    }
    socket.leave("x");
    handle.to("x").emit("never", &0).unwrap();
    socket.leave_all();
    handle.to("y").and("z").and("user:a").emit("never", &0).unwrap();
    socket.join("w").unwrap();
    handle.to("w").emit("last", &0).unwrap();
    for number in 0..50 {
        assert_eq!(ws.text().await, format!("42[\"n\",{number}]"));
    }
    assert_eq!(ws.text().await, "42[\"last\",0]");
    assert_eq!(socket.rooms().iter().map(|room| &**room).collect::<Vec<_>>(), ["w"]);
}

#[actix_web::test]
async fn a_room_joins_another_and_leaves_it() {
    let (server, realtime, _) = start(config()).await;
    let mut a = joined(&server, "a", &["x"]).await;
    let mut b = joined(&server, "b", &[]).await;
    let handle = realtime.handle();
    handle.to("x").join("z");
    handle.to("z").emit("z", &1).unwrap();
    handle.everybody().leave("z");
    handle.to("z").emit("z", &2).unwrap();
    handle.everybody().emit("end", &0).unwrap();
    assert_eq!((a.text().await.as_str(), a.text().await.as_str()), ("42[\"z\",1]", "42[\"end\",0]"));
    assert_eq!(b.text().await, "42[\"end\",0]");
}

#[actix_web::test]
async fn everybody_in_a_room_is_put_out_at_once_after_what_was_sent_before() {
    let (server, realtime, lab) = start(config()).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(joined(&server, "banned", &[]).await);
    }
    let mut other = joined(&server, "other", &[]).await;
    let began = Instant::now();
    realtime.handle().to("user:banned").emit("user:blocked", &1).unwrap();
    realtime.handle().to("user:banned").disconnect(true);
    assert!(realtime.handle().to("user:banned").sockets().is_empty());
    for mut ws in sockets {
        assert_eq!(ws.text().await, "42[\"user:blocked\",1]");
        assert_eq!(ws.text().await, "41");
        ws.closed().await;
    }
    assert!(began.elapsed() < Duration::from_secs(1));
    other.silence().await;
    until("each is told", || *lab.gone.lock().unwrap() == [Reason::ServerDisconnect; 5]).await;
}

#[actix_web::test]
async fn a_socket_is_in_so_many_rooms_at_most() {
    let (server, realtime, _) = start(realtime::Config { max_rooms: 3, ..config() }).await;
    let _ws = joined(&server, "a", &["x", "y"]).await;
    let socket = realtime.handle().to("x").sockets().remove(0);
    assert!(socket.join("z").is_err());
    socket.leave("x");
    assert!(socket.join("z").is_ok());
}

#[actix_web::test]
async fn nothing_of_a_socket_stays_when_its_client_goes() {
    let (server, realtime, _) = start(config()).await;
    for round in 0..20 {
        let clients: Vec<Ws> = {
            let mut clients = Vec::new();
            for number in 0..5 {
                clients.push(joined(&server, &format!("{number}"), &["x"]).await);
            }
            clients
        };
        let sockets = realtime.handle().to("x").sockets();
        assert_eq!(sockets.len(), 5, "round {round}");
        // In another order than they came.
        for client in clients.into_iter().rev() {
            drop(client);
        }
        until("all are out", || sockets.iter().all(|socket| !socket.is_connected())).await;
        assert!(realtime.handle().everybody().sockets().is_empty());
        assert!(sockets.iter().all(|socket| socket.rooms().is_empty()));
    }
    until("no connection is left", || realtime.connections() == 0).await;
}
