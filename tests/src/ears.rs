//! Listening over a socket, as an app does: a Socket.IO client of one WebSocket, which hears what its person is told.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::people::Person;
use crate::tale::Tale;

/// How long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Somebody's open connection.
pub struct Ears {
    name: &'static str,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: VecDeque<(String, Value)>,
}

impl Ears {
    /// Connects as this person, once everything is heard that is theirs to hear.
    ///
    /// # Errors
    /// When nobody answers, or the connection is refused.
    pub async fn open(base: &str, name: &'static str, person: &Person) -> anyhow::Result<Self> {
        Self::with_token(base, name, &person.access).await
    }

    /// The same as whoever holds the access token.
    ///
    /// # Errors
    /// When nobody answers, or the connection is refused.
    pub async fn with_token(base: &str, name: &'static str, token: &SecretString) -> anyhow::Result<Self> {
        let url = format!("{}/socket.io/?EIO=4&transport=websocket", base.replacen("http", "ws", 1));
        let (socket, _) = connect_async(&url).await.context("no socket can be opened")?;
        let mut ears = Self { name, socket, heard: VecDeque::new() };
        let connect = format!("40{}", json!({ "token": token.expose_secret() }));
        ears.socket.send(Message::text(connect)).await?;
        while ears.next().await?.0 != "ready" {}
        Ok(ears)
    }

    /// Waits for an event of this name and tells of it; others that come before are kept for later.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn hear(&mut self, tale: &Tale, name: &str) -> anyhow::Result<Value> {
        let payload = self.next_named(name).await?;
        tale.saw(format!("{}'s socket: {name} {payload}", self.name));
        Ok(payload)
    }

    /// The same, and tells nobody.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn next_named(&mut self, name: &str) -> anyhow::Result<Value> {
        let kept = self.heard.iter().position(|(heard, _)| heard == name);
        if let Some((_, payload)) = kept.and_then(|place| self.heard.remove(place)) {
            return Ok(payload);
        }
        loop {
            let (heard, payload) = self.next().await.with_context(|| format!("waiting for {name}"))?;
            if heard == name {
                return Ok(payload);
            }
            self.heard.push_back((heard, payload));
        }
    }

    /// The next event, heartbeats answered in passing.
    async fn next(&mut self) -> anyhow::Result<(String, Value)> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.context("nothing came")?;
            let Message::Text(packet) = message.context("the connection ended")?? else { continue };
            if packet.as_str() == "2" {
                self.socket.send(Message::text("3")).await?;
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
}

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").field("name", &self.name).finish_non_exhaustive()
    }
}
