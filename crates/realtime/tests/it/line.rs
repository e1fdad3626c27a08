//! One client over either transport: what holds over one holds over the other.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::client::{Polling, Ws};
use crate::server::Server;

/// What parts the packets of a body.
const SEPARATOR: char = '\u{1e}';

/// Makes two tests of each, one over each transport.
macro_rules! on_both_transports {
    ($(async fn $name:ident($by:ident: Transport) $body:block)*) => { $(
        mod $name {
            use super::*;

            async fn check($by: Transport) $body

            #[actix_web::test]
            async fn websocket() {
                check(Transport::WebSocket).await;
            }

            #[actix_web::test]
            async fn polling() {
                check(Transport::Polling).await;
            }
        }
    )* };
}
pub(crate) use on_both_transports;

/// How a client's packets travel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    WebSocket,
    Polling,
}

/// A client that sends exactly what a test says.
pub(crate) enum Line {
    WebSocket(Ws),
    Polling {
        polling: Polling,
        /// What came and was not read yet.
        come: VecDeque<String>,
    },
}

impl Line {
    /// Connects, and reads the open packet.
    pub(crate) async fn open(by: Transport, server: &Server) -> Self {
        match by {
            Transport::WebSocket => Self::WebSocket(Ws::open(server, "/socket.io").await),
            Transport::Polling => {
                Self::Polling { polling: Polling::open(server, "/socket.io").await, come: VecDeque::new() }
            }
        }
    }

    /// Connects and enters the first namespace with such a payload; gives the answer too.
    pub(crate) async fn enter(by: Transport, server: &Server, auth: &str) -> (Self, Value) {
        let mut line = Self::open(by, server).await;
        line.send(&format!("40{auth}")).await;
        let answer = line.text().await;
        let answer = serde_json::from_str(answer.strip_prefix("40").unwrap()).unwrap();
        (line, answer)
    }

    /// Sends a packet; what becomes of it, its connection tells.
    pub(crate) async fn send(&mut self, text: &str) {
        match self {
            Self::WebSocket(ws) => ws.send(text).await,
            Self::Polling { polling, .. } => drop(polling.post(text.to_owned()).await),
        }
    }

    /// Sends bytes, or does not get so far: over polling each packet is answered, and the one before may have ended it.
    pub(crate) async fn send_binary(&mut self, data: &[u8]) {
        match self {
            Self::WebSocket(ws) => ws.send_binary(data).await,
            Self::Polling { polling, .. } => drop(polling.post(format!("b{}", STANDARD.encode(data))).await),
        }
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        match self {
            Self::WebSocket(ws) => ws.text().await,
            Self::Polling { .. } => self.packet().await.expect("a packet, not the end"),
        }
    }

    /// The next bytes.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        match self {
            Self::WebSocket(ws) => ws.binary().await,
            Self::Polling { .. } => {
                let packet = self.packet().await.expect("a packet, not the end");
                STANDARD.decode(packet.strip_prefix('b').expect("bytes")).unwrap()
            }
        }
    }

    /// Asserts that the server ends the connection, whatever it still sends before.
    pub(crate) async fn closed(mut self) {
        match self {
            Self::WebSocket(ws) => ws.closed().await,
            Self::Polling { .. } => while self.packet().await.is_some() {},
        }
    }

    /// Asserts that nothing comes for a moment. Over polling a question that nobody waits for the answer of would look like
    /// two at once, so what comes then is seen by the next that is read.
    pub(crate) async fn silence(&mut self) {
        match self {
            Self::WebSocket(ws) => ws.silence().await,
            Self::Polling { .. } => tokio::time::sleep(Duration::from_millis(60)).await,
        }
    }

    /// The next packet over polling; none once the connection has ended.
    async fn packet(&mut self) -> Option<String> {
        let Self::Polling { polling, come } = self else { panic!("only polling has packets of its own") };
        while come.is_empty() {
            let (status, body) = polling.get().await;
            if status != 200 {
                return None;
            }
            come.extend(body.split(SEPARATOR).map(str::to_owned));
        }
        come.pop_front().filter(|packet| packet != "1")
    }
}
