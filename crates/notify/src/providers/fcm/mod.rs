//! Firebase Cloud Messaging, HTTP v1 (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages): one message to
//! one device a call. It takes no idempotency key, so a repeated call may show twice, unless a collapse key makes the
//! second take the first one's place.

mod account;
mod answer;
mod message;
mod token;
mod topics;

use async_trait::async_trait;
use kernel::Ambient;
use outbound::http::{self, Timeouts};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::account::ServiceAccount;
use self::token::AccessTokens;
use crate::{ConfigError, PushError, PushMessage, PushReceipt, PushSender, SendError};

pub use topics::{TopicChange, TopicError};

/// More than any answer of these services has: a thousand results of a topic's change.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// How to reach Firebase.
#[derive(Debug, Clone)]
pub struct FcmConfig {
    /// The service account's key, as the JSON file that Google gives.
    pub service_account: SecretString,
    /// `https://fcm.googleapis.com`, or the sandbox.
    pub base_url: Url,
    /// `https://iid.googleapis.com`, or the sandbox: who is subscribed to which topic.
    pub iid_url: Url,
    /// Where access tokens come from, if not from where the service account's file says.
    pub token_url: Option<Url>,
    /// How long a call may take.
    pub timeouts: Timeouts,
}

impl FcmConfig {
    /// Google's own addresses.
    ///
    /// # Errors
    /// Never in practice: the addresses are constants.
    pub fn google(service_account: SecretString) -> Result<Self, ConfigError> {
        let url = |text: &str| {
            Url::parse(text).ok().ok_or_else(|| ConfigError::invalid("fcm.base_url", "must be a URL"))
        };
        Ok(Self {
            service_account,
            base_url: url("https://fcm.googleapis.com")?,
            iid_url: url("https://iid.googleapis.com")?,
            token_url: None,
            timeouts: Timeouts::default(),
        })
    }
}

/// Sends push messages through Firebase.
#[derive(Clone)]
pub struct Fcm {
    client: Client,
    tokens: AccessTokens,
    send_url: Url,
    iid_url: Url,
    ambient: Ambient,
}

impl Fcm {
    /// A client; it connects when it first sends.
    ///
    /// # Errors
    /// When the service account cannot be read, an address is neither HTTPS nor HTTP on this machine, or TLS cannot be
    /// set up.
    pub fn new(config: FcmConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let account = ServiceAccount::read(&config.service_account)?;
        let token_url = match config.token_url {
            Some(url) => url,
            None => account.token_uri.clone(),
        };
        for (field, url) in [
            ("fcm.base_url", &config.base_url),
            ("fcm.iid_url", &config.iid_url),
            ("fcm.token_url", &token_url),
        ] {
            if !http::is_private(url) {
                return Err(ConfigError::invalid(field, "must begin with https://"));
            }
        }
        let mut send_url = config.base_url;
        if let Ok(mut path) = send_url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "projects", &account.project_id, "messages:send"]);
        }
        let client = http::client(config.timeouts).map_err(ConfigError::Http)?;
        let tokens = AccessTokens::new(client.clone(), account, token_url, ambient.clone());
        Ok(Self { client, tokens, send_url, iid_url: config.iid_url, ambient })
    }

    async fn post(&self, body: Vec<u8>) -> Result<Response, SendError> {
        let token = self.tokens.get().await?;
        let request = self
            .client
            .post(self.send_url.clone())
            .bearer_auth(token.expose_secret())
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body);
        request.send().await.map_err(|error| lost(&error))
    }
}

#[async_trait]
impl PushSender for Fcm {
    async fn send(&self, message: &PushMessage) -> Result<PushReceipt, PushError> {
        let body = message::body(message, self.ambient.now())?;
        let response = self.post(body).await?;
        let status = response.status().as_u16();
        if status == 401 {
            // The next call asks for a new one.
            self.tokens.forget();
        }
        let retry_after = retry_after(&response);
        let body = http::read_at_most(response, MAX_ANSWER_BYTES).await;
        let result = answer::read(status, retry_after, body.as_deref().unwrap_or_default());
        if let Err(PushError::Send(error @ SendError::Misconfigured { .. })) = &result {
            tracing::error!(%error, "Firebase does not take our messages: check the service account and project");
        }
        result
    }
}

/// What a call means that got no answer.
fn lost(error: &reqwest::Error) -> SendError {
    if error.is_connect() { SendError::NotSent { code: None, retry_after: None } } else { SendError::Unknown }
}

/// The header's seconds (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<std::time::Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(std::time::Duration::from_secs)
}

impl std::fmt::Debug for Fcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fcm").finish_non_exhaustive()
    }
}
