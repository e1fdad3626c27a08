//! Access tokens: one for all calls, fetched by one call at a time, and anew before it runs out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Ambient;
use outbound::http;
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::RwLock;
use url::Url;

use super::account::ServiceAccount;
use super::{MAX_ANSWER_BYTES, lost, retry_after};
use crate::SendError;

/// How long before its end a token is no longer used.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// Gives access tokens. Clones share them.
#[derive(Clone)]
pub(super) struct AccessTokens(Arc<Shared>);

struct Shared {
    client: Client,
    account: ServiceAccount,
    url: Url,
    ambient: Ambient,
    /// Held while a new one is fetched, so that many calls at once ask for one.
    last: RwLock<Last>,
    /// How often one was asked for.
    count: AtomicU64,
    forgotten: AtomicBool,
}

/// What came of asking for tokens so far.
#[derive(Default)]
struct Last {
    held: Option<Held>,
    /// Why the last time gave none. Whoever waited for that call has its answer: each would wait as long again.
    failure: Option<SendError>,
}

#[derive(Clone)]
struct Held {
    token: SecretString,
    until: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: i64,
}

impl AccessTokens {
    pub(super) fn new(client: Client, account: ServiceAccount, url: Url, ambient: Ambient) -> Self {
        let forgotten = AtomicBool::new(false);
        Self(Arc::new(Shared {
            client,
            account,
            url,
            ambient,
            last: RwLock::default(),
            count: AtomicU64::new(0),
            forgotten,
        }))
    }

    /// The token to use now.
    ///
    /// # Errors
    /// [`SendError::NotSent`] or [`SendError::Misconfigured`]: without a token nothing is sent.
    pub(super) async fn get(&self) -> Result<SecretString, SendError> {
        let count = self.0.count.load(Ordering::Acquire);
        if let Some(token) = self.usable(self.0.last.read().await.held.as_ref()) {
            return Ok(token);
        }
        let mut last = self.0.last.write().await;
        // Somebody may have asked for one while this call waited.
        if let Some(token) = self.usable(last.held.as_ref()) {
            return Ok(token);
        }
        if let Some(failure) = last.failure.filter(|_| self.0.count.load(Ordering::Acquire) != count) {
            return Err(failure);
        }
        let fetched = self.0.fetch().await;
        self.0.count.fetch_add(1, Ordering::AcqRel);
        last.failure = fetched.as_ref().err().copied();
        let fresh = fetched?;
        self.0.forgotten.store(false, Ordering::Release);
        let token = fresh.token.clone();
        last.held = Some(fresh);
        Ok(token)
    }

    /// The held token was refused: the next call fetches another.
    pub(super) fn forget(&self) {
        self.0.forgotten.store(true, Ordering::Release);
    }

    fn usable(&self, held: Option<&Held>) -> Option<SecretString> {
        let forgotten = self.0.forgotten.load(Ordering::Acquire);
        let held = held.filter(|held| !forgotten && held.until - EARLY > self.0.ambient.now())?;
        Some(held.token.clone())
    }
}

impl Shared {
    /// Exchanges an assertion for a token (RFC 7523 §2.1).
    async fn fetch(&self) -> Result<Held, SendError> {
        let now = self.ambient.now();
        let assertion =
            self.account.assertion(now.timestamp()).ok_or(SendError::Misconfigured { code: 0 })?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.as_str()),
        ];
        let not_sent = |code, wait| SendError::NotSent { code, retry_after: wait };
        // The message itself has not been handed over, so a lost answer means that it was not sent.
        let response =
            self.client.post(self.url.clone()).form(&form).send().await.map_err(|error| {
                match lost(&error) {
                    SendError::Unknown => not_sent(None, None),
                    other => other,
                }
            })?;
        let status = response.status().as_u16();
        let wait = retry_after(&response);
        let body = http::read_at_most(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
        match status {
            200 => {}
            429 | 500.. => return Err(not_sent(Some(status.into()), wait)),
            _ => {
                tracing::error!(
                    status,
                    "Google gives us no access token: check the service account and the clock"
                );
                return Err(SendError::Misconfigured { code: status.into() });
            }
        }
        let granted: Granted = serde_json::from_slice(&body).ok().ok_or(not_sent(None, None))?;
        let life = granted.expires_in.clamp(0, 24 * 3_600);
        Ok(Held { token: granted.access_token, until: now + TimeDelta::seconds(life) })
    }
}
