//! Why a message did not leave, told by what the caller can do about it.

use std::time::Duration;

use kernel::{DomainError, ErrorKind};
use thiserror::Error;

/// A message could not be sent, or nobody knows whether it was. No variant carries the recipient or the text;
/// `code` is the provider's own: Twilio's error code, the HTTP status, or the SMTP reply code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// This recipient cannot be sent to, now or later.
    #[error("the provider refuses this recipient ({code})")]
    Refused {
        /// The provider's code.
        code: u32,
    },
    /// Our account or credentials are wrong, and so would every other message be: a person must look at the
    /// configuration.
    #[error("the provider refuses our account ({code})")]
    Misconfigured {
        /// The provider's code.
        code: u32,
    },
    /// This message of ours is wrong, by its template, its sender or its form; others may be right. A person must look
    /// at it, and it can be sent once it is mended.
    #[error("the provider refuses what this message is made of ({code})")]
    Faulty {
        /// The provider's code.
        code: u32,
    },
    /// It certainly did not leave, and it may later: too many requests, no connection, or a temporary refusal.
    #[error("the message was not sent; it may be later")]
    NotSent {
        /// The provider's code, if it answered.
        code: Option<u32>,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider failed while it dealt with the message. It probably did not leave.
    #[error("the provider failed ({code})")]
    Failed {
        /// The provider's code.
        code: u32,
    },
    /// It was handed over and no readable answer came: it may have left.
    #[error("the provider gave no readable answer: the message may have been sent")]
    Unknown,
    /// It was not tried, because the provider has been failing or too many messages are on their way.
    #[error("the provider is not being called at the moment")]
    Busy,
}

impl SendError {
    /// Whether sending the same message again cannot make it arrive twice.
    pub fn is_safe_to_repeat(self) -> bool {
        matches!(self, Self::NotSent { .. } | Self::Busy)
    }

    /// Whether trying later may help, without anybody mending anything.
    pub fn is_transient(self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Misconfigured { .. } | Self::Faulty { .. })
    }
}

impl DomainError for SendError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused { .. } => ErrorKind::Unprocessable,
            _ => ErrorKind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "recipient_refused",
            _ => "delivery_unavailable",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotSent { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// A client cannot be built from what it was configured with.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A value is not what it must be.
    #[error("{field} {problem}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is wrong with it; never the value itself.
        problem: &'static str,
    },
    /// The TLS stack could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
    /// The TLS stack for mail could not be set up.
    #[error("the SMTP client could not be set up")]
    Smtp(#[source] lettre::transport::smtp::Error),
}

impl ConfigError {
    pub(crate) fn invalid(field: &'static str, problem: &'static str) -> Self {
        Self::Invalid { field, problem }
    }
}
