//! One call: bounded in time and size, guarded, and repeated where that cannot act twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outbound::{CallError, Guard, Retry, http};
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use super::error;
use crate::ProviderError;

/// More than any page of a list has.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A call to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    /// JSON; with it the call is a POST.
    body: Option<&'a [u8]>,
    /// `X-Refund-Idempotency` (api/refunds/normal-refunds-idempotent).
    key: Option<&'a str>,
}

impl<'a> Call<'a> {
    pub(super) fn get(path: &'a [&'a str]) -> Self {
        Self { path, query: &[], body: None, key: None }
    }

    pub(super) fn post(path: &'a [&'a str], body: &'a [u8]) -> Self {
        Self { path, query: &[], body: Some(body), key: None }
    }

    pub(super) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    /// Under this key repetitions are the same call.
    pub(super) fn repeatable(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Whether it may be made again when nobody knows what became of it.
    fn is_repeatable(&self) -> bool {
        self.body.is_none() || self.key.is_some()
    }
}

pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) base_url: Url,
    pub(super) key_id: String,
    pub(super) key_secret: SecretString,
    pub(super) guard: Guard,
}

impl Client {
    pub(super) async fn call<T: DeserializeOwned + Send>(&self, call: &Call<'_>) -> Result<T, ProviderError> {
        // A try that was not made says nothing of one before it that may have been.
        let perhaps_done = AtomicBool::new(false);
        let result = self
            .guard
            .call(|| async {
                self.call_once(call).await.map_err(|error| {
                    perhaps_done.fetch_or(error == ProviderError::Unknown, Ordering::Relaxed);
                    Attempt { error, is_repeatable: call.is_repeatable() }
                })
            })
            .await;
        result.map_err(|Attempt { error, .. }| {
            if perhaps_done.load(Ordering::Relaxed) && error.is_certainly_not_done() {
                return ProviderError::Unknown;
            }
            if let ProviderError::Misconfigured { status } = error {
                tracing::error!(status, "Razorpay does not take our key or address: check the configuration");
            }
            error
        })
    }

    async fn call_once<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, ProviderError> {
        let response = self.request(call).send().await.map_err(|error| {
            if error.is_connect() {
                ProviderError::Unavailable { retry_after: None }
            } else {
                ProviderError::Unknown
            }
        })?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = http::read_at_most(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
        if (200..300).contains(&status) {
            return serde_json::from_slice(&body).ok().ok_or(ProviderError::Unknown);
        }
        Err(error::read(status, retry_after, &body))
    }

    fn request(&self, call: &Call<'_>) -> RequestBuilder {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(call.path);
        }
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let mut request = self
            .http
            .request(method, url)
            .query(call.query)
            .basic_auth(&self.key_id, Some(self.key_secret.expose_secret()));
        if let Some(body) = call.body {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json).body(body.to_vec());
        }
        if let Some(key) = call.key {
            request = request.header("X-Refund-Idempotency", key);
        }
        request
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("host", &self.base_url.host_str()).finish_non_exhaustive()
    }
}

/// The header's seconds (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// How one try failed, and whether another may follow.
#[derive(Debug)]
struct Attempt {
    error: ProviderError,
    is_repeatable: bool,
}

impl CallError for Attempt {
    fn busy() -> Self {
        Self { error: ProviderError::Busy, is_repeatable: false }
    }

    fn is_outage(&self) -> bool {
        !matches!(self.error, ProviderError::Refused { .. } | ProviderError::Busy)
    }

    fn retry(&self) -> Retry {
        match self.error {
            ProviderError::Unavailable { retry_after } => Retry::After(retry_after),
            ProviderError::Unknown if self.is_repeatable => Retry::After(None),
            _ => Retry::Never,
        }
    }

    fn name(&self) -> &'static str {
        match self.error {
            ProviderError::Refused { .. } => "refused",
            ProviderError::Misconfigured { .. } => "misconfigured",
            ProviderError::Unknown => "unknown",
            ProviderError::Unavailable { .. } => "not_sent",
            ProviderError::Busy => "busy",
        }
    }
}
