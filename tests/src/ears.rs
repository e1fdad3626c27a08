//! Listening over a socket, as an app does: a Socket.IO client of one WebSocket, which hears what its person is told.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::people::Person;
use crate::tale::Tale;

/// How long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An event: its name and its payload.
type Heard = (String, Value);

/// Somebody's open connection, which is read for as long as it is held.
pub struct Ears {
    name: &'static str,
    events: mpsc::UnboundedReceiver<anyhow::Result<Heard>>,
    kept: VecDeque<Heard>,
    reading: JoinHandle<()>,
}

impl Ears {
    /// Connects as this person, once everything is heard that is theirs to hear; tells of each event as it arrives.
    ///
    /// # Errors
    /// When nobody answers, or the connection is refused.
    pub async fn open(base: &str, name: &'static str, person: &Person, tale: &Tale) -> anyhow::Result<Self> {
        Self::connect(base, name, &person.access, Some(tale.clone())).await
    }

    /// The same as whoever holds the access token, and tells nobody.
    ///
    /// # Errors
    /// When nobody answers, or the connection is refused.
    pub async fn with_token(base: &str, name: &'static str, token: &SecretString) -> anyhow::Result<Self> {
        Self::connect(base, name, token, None).await
    }

    async fn connect(
        base: &str,
        name: &'static str,
        token: &SecretString,
        tale: Option<Tale>,
    ) -> anyhow::Result<Self> {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", base.replacen("http", "ws", 1));
        let (mut socket, _) = connect_async(&url).await.context("no socket can be opened")?;
        let connect = format!("40{}", json!({ "token": token.expose_secret() }));
        socket.send(Message::text(connect)).await?;
        while tokio::time::timeout(PATIENCE, next(&mut socket)).await.context("nothing came")??.0 != "ready" {
        }
        let (heard, events) = mpsc::unbounded_channel();
        let reading = tokio::spawn(async move {
            loop {
                let event = next(&mut socket).await;
                if let (Some(tale), Ok((event, payload))) = (&tale, &event) {
                    tale.saw(format!("{name}'s socket: {event} {payload}"));
                }
                let is_over = event.is_err();
                if heard.send(event).is_err() || is_over {
                    return;
                }
            }
        });
        Ok(Self { name, events, kept: VecDeque::new(), reading })
    }

    /// Waits for an event of this name; others that come before are kept for later.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn next_named(&mut self, name: &str) -> anyhow::Result<Value> {
        let kept = self.kept.iter().position(|(heard, _)| heard == name);
        if let Some((_, payload)) = kept.and_then(|place| self.kept.remove(place)) {
            return Ok(payload);
        }
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await.ok().flatten();
            let (heard, payload) = event.with_context(|| format!("{name} did not come"))??;
            if heard == name {
                return Ok(payload);
            }
            self.kept.push_back((heard, payload));
        }
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// The next event, heartbeats answered in passing.
async fn next(socket: &mut Socket) -> anyhow::Result<Heard> {
    loop {
        let message = socket.next().await.context("the connection ended")??;
        let Message::Text(packet) = message else { continue };
        if packet.as_str() == "2" {
            socket.send(Message::text("3")).await?;
        } else if let Some(refusal) = packet.strip_prefix("44") {
            bail!("the connection is refused: {refusal}");
        } else if let Some(event) = packet.strip_prefix("42") {
            let parts: Vec<Value> = serde_json::from_str(event)?;
            let mut parts = parts.into_iter();
            let name = parts.next().and_then(|name| name.as_str().map(str::to_owned));
            return Ok((name.context("an event has no name")?, parts.next().unwrap_or_default()));
        }
    }
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").field("name", &self.name).finish_non_exhaustive()
    }
}
