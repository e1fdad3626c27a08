//! Who is subscribed to which topic: `iid/v1:batchAdd` and `:batchRemove`, up to a thousand tokens a call.

use outbound::http;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{Fcm, MAX_ANSWER_BYTES, lost, retry_after};
use crate::{PushTopic, SendError};

/// The most tokens that one call takes.
const BATCH: usize = 1_000;

/// What is done with the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicChange {
    /// They get what is sent to the topic.
    Subscribe,
    /// They no longer do.
    Unsubscribe,
}

/// Why one token was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicError {
    /// The token is dead: forget it.
    Gone,
    /// The token has as many topics as it may.
    TooManyTopics,
    /// Too much was asked of this topic: try again later.
    Later,
    /// Something else.
    Other,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    error: Option<String>,
}

impl Fcm {
    /// Subscribes or unsubscribes tokens; gives what became of each, in their order. A change that is repeated changes
    /// nothing.
    ///
    /// # Errors
    /// When a whole call fails; what the calls before it changed stays changed.
    pub async fn change_topic(
        &self,
        change: TopicChange,
        topic: &PushTopic,
        tokens: &[SecretString],
    ) -> Result<Vec<Result<(), TopicError>>, SendError> {
        let mut results = Vec::with_capacity(tokens.len());
        for batch in tokens.chunks(BATCH) {
            results.extend(self.change_batch(change, topic.as_str(), batch).await?);
        }
        Ok(results)
    }

    async fn change_batch(
        &self,
        change: TopicChange,
        topic: &str,
        tokens: &[SecretString],
    ) -> Result<Vec<Result<(), TopicError>>, SendError> {
        let access = self.tokens.get().await?;
        let mut url = self.iid_url.clone();
        let method = match change {
            TopicChange::Subscribe => "v1:batchAdd",
            TopicChange::Unsubscribe => "v1:batchRemove",
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["iid", method]);
        }
        let tokens: Vec<_> = tokens.iter().map(ExposeSecret::expose_secret).collect();
        let request = self
            .client
            .post(url)
            .bearer_auth(access.expose_secret())
            .header("access_token_auth", "true")
            .json(&json!({"to": format!("/topics/{topic}"), "registration_tokens": tokens}));
        let response = request.send().await.map_err(|error| lost(&error))?;
        let (status, wait) = (response.status(), retry_after(&response));
        let code = u32::from(status.as_u16());
        let body = http::read_at_most(response, MAX_ANSWER_BYTES).await.unwrap_or_default();
        match status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(SendError::NotSent { code: Some(code), retry_after: wait });
            }
            StatusCode::UNAUTHORIZED => {
                self.tokens.forget();
                return Err(SendError::Misconfigured { code });
            }
            status if status.is_server_error() => return Err(SendError::Failed { code }),
            _ => return Err(SendError::Misconfigured { code }),
        }
        let answer: Answer = serde_json::from_slice(&body).ok().ok_or(SendError::Unknown)?;
        if answer.results.len() != tokens.len() {
            return Err(SendError::Unknown);
        }
        Ok(answer
            .results
            .into_iter()
            .map(|one| one.error.map_or(Ok(()), |error| Err(read(&error))))
            .collect())
    }
}

fn read(error: &str) -> TopicError {
    match error {
        "NOT_FOUND" | "INVALID_ARGUMENT" => TopicError::Gone,
        "TOO_MANY_TOPICS" => TopicError::TooManyTopics,
        "RESOURCE_EXHAUSTED" | "INTERNAL" | "UNAVAILABLE" => TopicError::Later,
        _ => TopicError::Other,
    }
}
