//! Connections that are kept for the next mail.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::{Instant, timeout};

/// For how long an idle connection is worth asking; servers hang up on silent clients after a few minutes.
const IDLE: Duration = Duration::from_secs(60);

/// Idle connections, the one used last on top.
pub(super) struct Pool {
    size: usize,
    idle: Mutex<Vec<(Instant, AsyncSmtpConnection)>>,
}

impl Pool {
    pub(super) fn new(size: u32) -> Self {
        Self { size: usize::try_from(size).unwrap_or(usize::MAX), idle: Mutex::default() }
    }

    /// An idle connection whose server still answers.
    pub(super) async fn take(&self, patience: Duration) -> Option<AsyncSmtpConnection> {
        loop {
            let (since, mut connection) = self.pop()?;
            let answers = since.elapsed() < IDLE
                && timeout(patience, connection.test_connected()).await.unwrap_or_default();
            if answers {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection over which a mail was taken.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.size {
            idle.push((Instant::now(), connection));
        }
    }

    fn pop(&self) -> Option<(Instant, AsyncSmtpConnection)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
