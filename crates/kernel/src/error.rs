//! How failures are told apart: a kind for the transport, a stable code for programs, fields for forms.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

/// What sort of failure it is. The gateway maps each to one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong; trying it again unchanged will not help.
    Invalid,
    /// Nobody is logged in, or the proof of it is not valid.
    Unauthenticated,
    /// Somebody is logged in who may not do this.
    Forbidden,
    /// There is no such thing, or not for the one who asks.
    NotFound,
    /// The thing is not in a state that allows this.
    Conflict,
    /// The caller's copy of the thing is out of date.
    PreconditionFailed,
    /// The content is larger than is taken.
    TooLarge,
    /// The content is of a kind that is not taken.
    UnsupportedMedia,
    /// The request is well formed and understood, but its content cannot be processed.
    Unprocessable,
    /// Too much was asked in too short a time.
    RateLimited,
    /// Something we depend on does not answer; trying again later may help.
    Unavailable,
    /// A fault of ours. Its message is for the log alone.
    Internal,
}

/// One thing that is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's name as the client wrote it, nested ones joined by dots.
    #[schema(example = "title")]
    pub field: String,
    /// A stable code for programs.
    #[schema(example = "too_short")]
    pub code: String,
    /// A sentence for people, saying what would be right.
    #[schema(example = "must have at least 5 characters")]
    pub message: String,
}

/// Why one value was refused by its parser; the caller knows which field it came from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParseError {
    /// A stable code for programs.
    pub code: &'static str,
    /// What would be right.
    pub message: String,
}

impl ParseError {
    /// A refusal with its code and what would be right.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The refusal, told of a field.
    pub fn of(self, field: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), code: self.code.to_owned(), message: self.message }
    }
}

/// Everything that is wrong with an input, all fields at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the input is not valid: see errors")]
pub struct InvalidInput(pub Vec<FieldError>);

impl InvalidInput {
    /// An input with one wrong field.
    pub fn field(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self(vec![ParseError::new(code, message).of(field)])
    }
}

/// Collects what is wrong while an input is parsed field by field.
///
/// ```
/// use kernel::{FieldErrors, Phone};
///
/// let mut errors = FieldErrors::default();
/// let phone = errors.check("phone", Phone::parse("12"));
/// assert!(phone.is_none());
/// assert_eq!(errors.finish().unwrap_err().0[0].field, "phone");
/// ```
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Keeps the value, or notes why it was refused.
    pub fn check<T>(&mut self, field: &str, parsed: Result<T, ParseError>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(error.of(field));
                None
            }
        }
    }

    /// Keeps the value, or notes what is wrong within the field: its own fields as `field.own`.
    pub fn check_within<T>(&mut self, field: &str, parsed: Result<T, InvalidInput>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(InvalidInput(faults)) => {
                let within =
                    |fault: FieldError| FieldError { field: format!("{field}.{}", fault.field), ..fault };
                self.0.extend(faults.into_iter().map(within));
                None
            }
        }
    }

    /// Notes a fault that concerns a field.
    pub fn add(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.0.push(ParseError::new(code, message).of(field));
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends the parsing.
    ///
    /// # Errors
    /// When any field was refused; all of them are told.
    pub fn finish(self) -> Result<(), InvalidInput> {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidInput(self.0)) }
    }

    /// The collected faults as an error, for the place that already knows there are some.
    pub fn into_error(self) -> InvalidInput {
        InvalidInput(self.0)
    }
}

/// What every error that reaches the gateway can tell of itself.
///
/// `Display` is for the client, unless the kind is [`ErrorKind::Internal`]: then it is for the log, and the
/// client is told nothing but that it happened.
pub trait DomainError: std::error::Error + Send + Sync + 'static {
    /// What sort of failure it is.
    fn kind(&self) -> ErrorKind;
    /// A stable code, `snake_case`, part of the API's contract.
    fn code(&self) -> &'static str;
    /// The fields it concerns.
    fn fields(&self) -> &[FieldError] {
        &[]
    }
    /// After how long trying again makes sense.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

impl DomainError for InvalidInput {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn code(&self) -> &'static str {
        "invalid_input"
    }

    fn fields(&self) -> &[FieldError] {
        &self.0
    }
}
