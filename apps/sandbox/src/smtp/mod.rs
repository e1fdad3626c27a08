//! A mail server that takes every well-formed mail and delivers it to the inbox: RFC 5321 with SIZE (RFC 1870),
//! 8BITMIME (RFC 6152) and PIPELINING (RFC 2920), without TLS and without authentication.

mod connection;
mod lines;
mod mail;
mod path;
mod reply;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::stage::Stage;

/// How many clients are served at a time; the next is told to come back.
const MAX_CONNECTIONS: usize = 32;

/// How long to wait before accepting again when the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The mail server.
pub(crate) struct PostOffice {
    pub(crate) stage: Arc<Stage>,
    /// How long a client may be silent.
    pub(crate) patience: Duration,
    pub(crate) stopping: CancellationToken,
    pub(crate) conversations: TaskTracker,
}

impl PostOffice {
    /// Serves clients until told to stop.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = self.stopping.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.receive(stream, Arc::clone(&places).try_acquire_owned().ok()),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an SMTP connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn receive(&self, stream: TcpStream, place: Option<OwnedSemaphorePermit>) {
        let stage = Arc::clone(&self.stage);
        let (patience, stopping) = (self.patience, self.stopping.clone());
        self.conversations.spawn(async move {
            let conversation = connection::Connection::new(stream, patience);
            let ended = match place {
                Some(_place) => conversation.converse(&stage, &stopping).await,
                None => conversation.turn_away().await,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "an SMTP client went away");
            }
        });
    }
}
