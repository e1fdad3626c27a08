//! HTTP towards providers: every call has deadlines, follows no redirect, and reads no more than it must.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::ConfigError;

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect, TLS included.
    pub connect: Duration,
    /// For the whole call, until the last byte of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    /// Two seconds and six.
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(6) }
    }
}

/// A client for a provider's API.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(timeouts: Timeouts) -> Result<Client, ConfigError> {
    Client::builder()
        .user_agent(concat!("dgt-marketplace/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        // A redirect would carry credentials and contact details to whoever answers in the provider's name.
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .map_err(ConfigError::Http)
}

/// Reads an answer of at most `limit` bytes; `None` when it is longer or breaks off.
pub(crate) async fn read_at_most(mut response: Response, limit: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > limit {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
