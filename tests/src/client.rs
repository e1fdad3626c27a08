//! A small client of the API: JSON in, JSON out, and every refusal as an error that reads like a sentence.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::multipart::Form;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a problem says of one field of the input.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// What would be right.
    pub message: String,
}

/// The body of a refusal (RFC 9457), as far as people want to know it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What happened.
    pub detail: String,
    /// The request's id, for the server's log.
    pub request_id: String,
    /// What is wrong with which field.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// After how long another try makes sense; told by a header.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)?;
        for error in &self.errors {
            write!(f, "; {} {}", error.field, error.message)?;
        }
        write!(f, " (request {})", self.request_id)
    }
}

/// Why a call brought no answer of the wanted kind. `call` is its method and path.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No HTTP client can be built.
    #[error("the HTTP client cannot be built")]
    Setup(#[source] reqwest::Error),
    /// Nobody answered.
    #[error("{call} got no answer")]
    Unreachable {
        /// The call.
        call: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("{call} was refused with {problem}")]
    Refused {
        /// The call.
        call: String,
        /// What it said.
        problem: Box<Problem>,
    },
    /// The answer is not of the form that was expected.
    #[error("{call} was answered {status}, {what}")]
    Unexpected {
        /// The call.
        call: String,
        /// The status.
        status: StatusCode,
        /// What is wrong with it.
        what: String,
    },
}

/// Calls one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// A client of the server at this address, such as `http://127.0.0.1:4000`.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::with(base, reqwest::Client::builder())
    }

    /// The same, with a connection for each call: one that is kept may be closed by the server in the moment in which
    /// it is used again, and then nobody knows whether a call that must not be repeated had its effect.
    ///
    /// # Errors
    /// When no HTTP client can be built.
    pub fn connecting_anew(base: &str) -> Result<Self, ClientError> {
        Self::with(base, reqwest::Client::builder().pool_max_idle_per_host(0))
    }

    fn with(base: &str, http: reqwest::ClientBuilder) -> Result<Self, ClientError> {
        let http = http.timeout(Duration::from_secs(30)).build().map_err(ClientError::Setup)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// The address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Reads something.
    pub fn get(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::GET, path.as_ref())
    }

    /// Makes or does something.
    pub fn post(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::POST, path.as_ref())
    }

    /// Changes something.
    pub fn put(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::PUT, path.as_ref())
    }

    /// Removes something.
    pub fn delete(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::DELETE, path.as_ref())
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let name = format!("{method} {path}");
        // Media may live behind an address of its own.
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        Call { name, request: self.http.request(method, url) }
    }
}

/// A request that is being put together.
#[derive(Debug)]
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    name: String,
    request: RequestBuilder,
}

impl Call {
    /// In the name of whoever holds the access token.
    pub fn bearer(mut self, token: &SecretString) -> Self {
        self.request = self.request.bearer_auth(token.expose_secret());
        self
    }

    /// As whoever has this name and secret (RFC 7617).
    pub fn basic(mut self, name: &str, secret: &SecretString) -> Self {
        self.request = self.request.basic_auth(name, Some(secret.expose_secret()));
        self
    }

    /// Under an `Idempotency-Key`.
    pub fn keyed(mut self, key: &str) -> Self {
        self.request = self.request.header("Idempotency-Key", key);
        self
    }

    /// With query parameters.
    pub fn query(mut self, parameters: &[(&str, &str)]) -> Self {
        self.request = self.request.query(parameters);
        self
    }

    /// With a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With a form that carries files.
    pub fn form(mut self, form: Form) -> Self {
        self.request = self.request.multipart(form);
        self
    }

    /// Sends it and reads the JSON that comes back.
    ///
    /// # Errors
    /// When nobody answers, the server refuses, or the answer has another form.
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (call, response) = self.succeed().await?;
        let status = response.status();
        let text = body(&call, response).await?;
        serde_json::from_slice(&text).map_err(|error| ClientError::Unexpected {
            call,
            status,
            what: error.to_string(),
        })
    }

    /// Sends it, when only success matters.
    ///
    /// # Errors
    /// When nobody answers, or the server refuses.
    pub async fn done(self) -> Result<(), ClientError> {
        self.succeed().await.map(drop)
    }

    /// Sends it and reads a file: its content type and its bytes.
    ///
    /// # Errors
    /// When nobody answers, or the server refuses.
    pub async fn file(self) -> Result<(String, Vec<u8>), ClientError> {
        let (call, response) = self.succeed().await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        Ok((content_type, body(&call, response).await?))
    }

    /// Sends it and wants to be refused.
    ///
    /// # Errors
    /// When nobody answers, or the server does what was asked.
    pub async fn refusal(self) -> Result<Problem, ClientError> {
        match self.succeed().await {
            Err(ClientError::Refused { problem, .. }) => Ok(*problem),
            Err(other) => Err(other),
            Ok((call, response)) => Err(ClientError::Unexpected {
                call,
                status: response.status(),
                what: "though it should have been refused".to_owned(),
            }),
        }
    }

    async fn succeed(self) -> Result<(String, Response), ClientError> {
        let Self { name: call, request } = self;
        let response = match request.send().await {
            Ok(response) => response,
            Err(source) => return Err(ClientError::Unreachable { call, source: source.without_url() }),
        };
        if response.status().is_success() { Ok((call, response)) } else { Err(refused(call, response).await) }
    }
}

async fn refused(call: String, response: Response) -> ClientError {
    let status = response.status();
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let text = match body(&call, response).await {
        Ok(text) => text,
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&text) {
        Ok(problem) => {
            let problem = Problem { retry_after: seconds.map(Duration::from_secs), ..problem };
            ClientError::Refused { call, problem: Box::new(problem) }
        }
        Err(_) => {
            ClientError::Unexpected { call, status, what: "and the answer is no problem document".to_owned() }
        }
    }
}

async fn body(call: &str, response: Response) -> Result<Vec<u8>, ClientError> {
    match response.bytes().await {
        Ok(bytes) => Ok(bytes.into()),
        Err(source) => Err(ClientError::Unreachable { call: call.to_owned(), source: source.without_url() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reads_like_a_sentence() {
        let json = r#"{"type": "/problems/invalid_input", "title": "Bad Request", "status": 400, "code": "invalid_input",
            "detail": "the input is not valid: see errors", "instance": "/api/listings", "requestId": "r-1",
            "errors": [{"field": "title", "code": "too_short", "message": "must have at least 5 characters"}]}"#;
        let problem = Box::new(serde_json::from_str(json).unwrap());
        let error = ClientError::Refused { call: "POST /api/listings".to_owned(), problem };
        assert_eq!(
            error.to_string(),
            "POST /api/listings was refused with 400 invalid_input: the input is not valid: see errors; \
             title must have at least 5 characters (request r-1)"
        );
    }
}
