//! From streams to sockets: who listens to a stream is in the room of its name.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use identity::IdentityError;
use realtime::{Args, ArgsError, Handle};
use serde_json::{Value as Json, json};
use store::StreamEntry;

use super::feeds::Outlet;
use super::lookout::Lookout;

/// The room of a session's sockets: they are put out when the session ends.
pub(super) fn session_room(session: &str) -> String {
    format!("session:{session}")
}

/// The sockets of this process.
pub(super) struct Sockets {
    /// Nobody, before they are open.
    handle: OnceLock<Handle>,
    lookout: Arc<Lookout>,
}

impl Sockets {
    pub(super) const fn new(lookout: Arc<Lookout>) -> Self {
        Self { handle: OnceLock::new(), lookout }
    }

    pub(super) fn open(&self, handle: Handle) {
        // It is opened once; a second handle would be of the same sockets.
        drop(self.handle.set(handle));
    }
}

#[async_trait]
impl Outlet for Sockets {
    fn tell(&self, entry: &StreamEntry) {
        let Some(sockets) = self.handle.get() else { return };
        let room = &entry.told.stream;
        let sent = arguments(entry).and_then(|args| sockets.to(room).emit_args(&entry.told.name, &args));
        if let Err(error) = sent {
            tracing::error!(event.id = %entry.told.event, %error, "an event cannot be written for sockets");
        }
        // After the event, which says why. A block and a new role end all sessions, each with an event of its own.
        let session = entry.told.payload.get("sessionId").and_then(Json::as_str);
        if let ("session:revoked", Some(session)) = (entry.told.name.as_str(), session) {
            sockets.to(session_room(session)).disconnect(true);
        }
    }

    /// The end of a session is told to its person alone.
    async fn pass_over(&self, stream: &str) -> Result<(), IdentityError> {
        match self.handle.get() {
            Some(sockets) if stream.starts_with("user:") => self.lookout.look_into(sockets, stream).await,
            _ => Ok(()),
        }
    }

    fn resync(&self, stream: &str, head: i64) {
        let Some(sockets) = self.handle.get() else { return };
        metrics::counter!("realtime_resyncs_total").increment(1);
        if let Err(error) = sockets.to(stream).emit("resync", &json!({ "stream": stream, "seq": head })) {
            tracing::error!(%error, "a resync cannot be written for sockets");
        }
    }
}

/// What a client is given: what happened, and where it stands.
pub(super) fn arguments(entry: &StreamEntry) -> Result<Args, ArgsError> {
    let told = &entry.told;
    let meta = json!({ "stream": told.stream, "seq": entry.seq, "eventId": told.event, "at": told.at });
    Args::one(&told.payload)?.and(&meta)
}
