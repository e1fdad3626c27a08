//! A Socket.IO client of few words: one WebSocket, one namespace, text packets as they are on the wire.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::support::{Session, TestApp};

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heard {
    pub(crate) name: String,
    pub(crate) payload: Value,
    /// Where it stands: stream and number.
    pub(crate) meta: Value,
    /// By which the server finds what came after it, for somebody who was cut off.
    pub(crate) offset: Value,
}

impl Heard {
    pub(crate) fn seq(&self) -> i64 {
        self.meta["seq"].as_i64().unwrap()
    }
}

/// Somebody who is connected.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: VecDeque<Heard>,
    acks: u64,
    /// What the server gave it to come back by.
    pub(crate) pid: Value,
}

impl Client {
    /// Connects, and gives the refusal if there is one.
    pub(crate) async fn connect(app: &TestApp, auth: &Value) -> Result<Self, Value> {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", app.base.replace("http://", "ws://"));
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut client = Self { socket, heard: VecDeque::new(), acks: 0, pid: Value::Null };
        assert!(client.packet().await.unwrap().starts_with('0'), "the open packet comes first");
        client.send(format!("40{auth}")).await;
        loop {
            let answer = client.packet().await.unwrap();
            match answer.split_at(2) {
                ("40", answer) => {
                    client.pid = serde_json::from_str::<Value>(answer).unwrap()["pid"].take();
                    return Ok(client);
                }
                ("44", refusal) => return Err(serde_json::from_str(refusal).unwrap()),
                // What was missed comes before the answer to who comes back by its pid.
                ("42", event) => client.heard.push_back(heard(event)),
                _ => panic!("unexpected: {answer}"),
            }
        }
    }

    /// The answer to a handshake over WebSocket, with more in its query and a page's origin.
    pub(crate) async fn handshake(app: &TestApp, query: &str, origin: Option<&str>) -> u16 {
        let base = app.base.replace("http://", "ws://");
        let url = format!("{base}/socket.io/?EIO=4&transport=websocket{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((_, answer)) => answer.status().as_u16(),
            Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects as this person, and waits until everything is heard; gives what `ready` says of the streams.
    pub(crate) async fn ready(app: &TestApp, session: &Session, after: Value) -> (Self, Value) {
        let mut client =
            Self::connect(app, &json!({ "token": session.access, "after": after })).await.unwrap();
        let mut before = VecDeque::new();
        loop {
            let heard = client.next().await;
            if heard.name == "ready" {
                client.heard = before;
                return (client, heard.payload["streams"].clone());
            }
            before.push_back(heard);
        }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Heard {
        if let Some(heard) = self.heard.pop_front() {
            return heard;
        }
        loop {
            let packet = self.packet().await.unwrap_or_else(|| panic!("cut off while an event was awaited"));
            if let Some(event) = packet.strip_prefix("42") {
                return heard(event);
            }
        }
    }

    /// The next event of this name; others are passed over.
    pub(crate) async fn hears(&mut self, name: &str) -> Heard {
        loop {
            let heard = self.next().await;
            if heard.name == name {
                return heard;
            }
        }
    }

    /// The next event of this name, after the number that was heard last; nothing may be missing or repeated before it.
    pub(crate) async fn hears_after(&mut self, last: &mut i64, name: &str) -> Heard {
        loop {
            let heard = self.next().await;
            assert_eq!(heard.seq(), *last + 1, "no gap, and nothing twice: {heard:?}");
            *last = heard.seq();
            if heard.name == name {
                return heard;
            }
        }
    }

    /// Asks, and gives the acknowledgement; events that come before it are kept.
    pub(crate) async fn ask(&mut self, name: &str, argument: &Value) -> Value {
        self.acks += 1;
        self.send(format!("42{}{}", self.acks, json!([name, argument]))).await;
        let expected = format!("43{}", self.acks);
        loop {
            let packet = self.packet().await.unwrap_or_else(|| panic!("cut off while an answer was awaited"));
            if let Some(answer) = packet.strip_prefix(&expected) {
                let answer: Vec<Value> = serde_json::from_str(answer).unwrap();
                return answer[0].clone();
            }
            if let Some(event) = packet.strip_prefix("42") {
                self.heard.push_back(heard(event));
            }
        }
    }

    /// Leaves, and waits until the server has let it go.
    pub(crate) async fn leave(mut self) {
        self.send("1".to_owned()).await;
        self.is_cut().await;
    }

    /// Waits until the server ends the connection, which it does within the second that is promised.
    pub(crate) async fn is_cut(&mut self) {
        self.is_cut_within(Duration::from_secs(1)).await;
    }

    /// The same where another process has to see it first.
    pub(crate) async fn is_cut_within(&mut self, time: Duration) {
        let cut = async { while self.packet().await.is_some() {} };
        tokio::select! {
            () = cut => {}
            () = have_run_for(time) => panic!("still connected after {time:?}"),
        }
    }

    /// Whether nothing more comes: everything that was sent before a `ping` comes before its answer.
    pub(crate) async fn hears_nothing(&mut self) -> bool {
        self.ask("ping", &json!({})).await;
        self.heard.retain(|heard| heard.name != "pong");
        self.heard.is_empty()
    }

    async fn send(&mut self, packet: String) {
        self.socket.send(Message::text(packet)).await.unwrap();
    }

    /// The next packet, heartbeats aside; none once the connection has ended.
    async fn packet(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.send("3".to_owned()).await,
                Some(Ok(Message::Text(text))) if text.as_str() == "1" || text.as_str() == "41" => {
                    return None;
                }
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Waits until this process, which is the server too, has run for so long. What a busy machine gives to others counts as
/// one step each time, so that only what the server had time for is held against it.
async fn have_run_for(time: Duration) {
    const STEP: Duration = Duration::from_millis(20);
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..=time.as_millis() / STEP.as_millis() {
        steps.tick().await;
    }
}

/// `["name", payload, meta, offset]`.
fn heard(event: &str) -> Heard {
    let parts: Vec<Value> = serde_json::from_str(event).unwrap();
    Heard {
        name: parts[0].as_str().unwrap().to_owned(),
        payload: parts.get(1).cloned().unwrap_or_default(),
        meta: parts.get(2).cloned().unwrap_or_default(),
        offset: parts.last().filter(|_| parts.len() > 2).cloned().unwrap_or_default(),
    }
}
