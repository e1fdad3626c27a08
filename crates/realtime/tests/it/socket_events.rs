//! Socket.IO v5: events and acknowledgements, with and without bytes.

use std::time::{Duration, Instant};

use realtime::Args;

use crate::client::Ws;
use crate::line::{Line, Transport, on_both_transports};
use crate::server::{config, start};

on_both_transports! {
    async fn events_keep_their_arguments_as_they_were_written(by: Transport) {
        let (server, ..) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        for args in ["1,\"2\",{\"3\":[true]}", "1.50,1e3,\"\\u20ac\",{\"b\":1,\"a\":{}},null", "\"ünï€\"", "[[]]"]
        {
            ws.send(&format!("42[\"message\",{args}]")).await;
            assert_eq!(ws.text().await, format!("42[\"message-back\",{args}]"));
        }
    }

    async fn an_event_with_an_id_is_acknowledged(by: Transport) {
        let (server, ..) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("42456[\"ack-me\",1,\"2\",{\"3\":[false]}]").await;
        assert_eq!(ws.text().await, "43456[1,\"2\",{\"3\":[false]}]");
        ws.send("420[\"ack-me\"]").await;
        assert_eq!(ws.text().await, "430[]");
        ws.send("40/custom").await;
        ws.text().await;
        ws.send("42/custom,7[\"ack-me\",1]").await;
        assert_eq!(ws.text().await, "43/custom,7[1]");
    }

    async fn bytes_travel_beside_their_event(by: Transport) {
        let (server, ..) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        let list = "{\"_placeholder\":true,\"num\":0},{\"a\":{\"_placeholder\":true,\"num\":1}}";
        ws.send(&format!("452-[\"message\",{list}]")).await;
        ws.send_binary(&[1, 2, 3]).await;
        ws.send_binary(&[4, 5, 6]).await;
        assert_eq!(ws.text().await, format!("452-[\"message-back\",{list}]"));
        assert_eq!((ws.binary().await, ws.binary().await), (vec![1, 2, 3], vec![4, 5, 6]));
        ws.send(&format!("452-789[\"ack-me\",{list}]")).await;
        ws.send_binary(&[1]).await;
        ws.send_binary(&[2]).await;
        assert_eq!(ws.text().await, format!("462-789[{list}]"));
        assert_eq!((ws.binary().await, ws.binary().await), (vec![1], vec![2]));
    }

    async fn the_server_asks_and_gets_its_answer_or_gives_up(by: Transport) {
        let (server, ..) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "").await;
        ws.send("42[\"ask\",\"why\"]").await;
        assert_eq!(ws.text().await, "420[\"question\",\"why\"]");
        ws.send("430[\"because\"]").await;
        assert_eq!(ws.text().await, "42[\"answered\",\"because\"]");

        ws.send("42[\"ask\"]").await;
        assert_eq!(ws.text().await, "421[\"question\"]");
        ws.send("461-1[{\"_placeholder\":true,\"num\":0}]").await;
        ws.send_binary(&[9]).await;
        assert_eq!(ws.text().await, "451-[\"answered\",{\"_placeholder\":true,\"num\":0}]");
        assert_eq!(ws.binary().await, [9]);

        ws.send("42[\"ask\"]").await;
        assert_eq!(ws.text().await, "422[\"question\"]");
        assert_eq!(ws.text().await, "42[\"answered\",\"no acknowledgement came in time\"]");
        // Too late, and for a question that nobody asked: both are dropped.
        ws.send("432[1]").await;
        ws.send("4399[1]").await;
        ws.send("42[\"message\"]").await;
        assert_eq!(ws.text().await, "42[\"message-back\"]");
    }

    async fn events_sent_by_emit_from_the_server_keep_their_order(by: Transport) {
        let (server, realtime, _) = start(config()).await;
        let (mut ws, _) = Line::enter(by, &server, "{\"name\":\"asha\"}").await;
        let handle = realtime.handle();
        let socket = handle.to("user:asha").sockets().remove(0);
        for number in 0..300 {
            match number % 3 {
                0 => handle.to("user:asha").emit("n", &number).unwrap(),
                1 => socket.emit("n", &Args::one(&number).unwrap()).unwrap(),
                _ => handle.everybody().emit("n", &number).unwrap(),
            }
        }
        for number in 0..300 {
            assert_eq!(ws.text().await, format!("42[\"n\",{number}]"));
        }
    }
}

#[actix_web::test]
async fn a_question_to_a_client_that_goes_ends_at_once() {
    let (server, realtime, _) = start(config()).await;
    let (mut ws, _) = Ws::enter(&server, "").await;
    let socket = realtime.handle().everybody().sockets().remove(0);
    let began = Instant::now();
    let args = Args::none();
    let ask = socket.emit_with_ack("question", &args, Duration::from_secs(4));
    let go = async {
        assert_eq!(ws.text().await, "420[\"question\"]");
        drop(ws);
    };
    let (answer, ()) = tokio::join!(ask, go);
    assert_eq!(answer.unwrap_err().to_string(), "the client is gone");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(socket.emit_with_ack("question", &args, Duration::from_secs(4)).await.is_err());
}

#[actix_web::test]
async fn so_many_answers_are_awaited_of_a_client_and_no_more() {
    let (server, realtime, _) = start(realtime::Config { max_acks: 2, ..config() }).await;
    let (mut ws, _) = Ws::enter(&server, "").await;
    let socket = realtime.handle().everybody().sockets().remove(0);
    let args = Args::none();
    let ask = async |within| socket.emit_with_ack("question", &args, within).await;
    let patience = Duration::from_secs(4);
    let third = async {
        assert_eq!(ws.text().await, "420[\"question\"]");
        assert_eq!(ws.text().await, "421[\"question\"]");
        assert!(matches!(ask(patience).await, Err(realtime::AckError::TooMany)));
        ws.send("430[1]").await;
    };
    let (first, second, ()) = tokio::join!(ask(patience), ask(Duration::from_secs(2)), third);
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(realtime::AckError::TimedOut)), "{second:?}");
    let again = async {
        assert_eq!(ws.text().await, "422[\"question\"]", "there is room again");
        ws.send("432[1]").await;
    };
    let (answer, ()) = tokio::join!(ask(patience), again);
    assert!(answer.is_ok(), "{answer:?}");
}

#[actix_web::test]
async fn events_of_one_client_are_handled_in_their_order_and_reading_waits_for_a_slow_handler() {
    let (server, ..) = start(realtime::Config { max_inbox: 4, ..config() }).await;
    let (mut ws, _) = Ws::enter(&server, "").await;
    ws.send("42[\"slow\"]").await;
    for number in 0..100 {
        ws.send(&format!("42{number}[\"ack-me\",{number}]")).await;
    }
    for number in 0..100 {
        assert_eq!(ws.text().await, format!("43{number}[{number}]"));
    }
}
