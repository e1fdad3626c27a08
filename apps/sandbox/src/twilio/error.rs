//! Twilio's errors: `{code, message, more_info, status}`, the codes from twilio.com/docs/api/errors.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::http::hang_up;

/// A refusal in Twilio's words.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: u16,
    message: String,
}

impl ApiError {
    /// A request that Twilio refuses for what it says, HTTP 400.
    pub(super) fn refused(code: u16, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Wrong credentials, or none.
    pub(super) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 20003, "Authenticate")
    }

    /// No such account, message or path.
    pub(super) fn not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 20404, format!("The requested resource {path} was not found"))
    }

    /// A resource that does not take this method.
    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed")
    }

    /// What Twilio answers when the failure is on its side or of a general sort: code 20000 plus the status.
    pub(super) fn injected(status: u16) -> Self {
        let message = match status {
            401 => return Self::unauthenticated(),
            405 => return Self::method_not_allowed(),
            429 => "Too Many Requests",
            500 => "An internal server error has occurred",
            503 => "Service is unavailable, please try again",
            _ => "",
        };
        let status_code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let message =
            if message.is_empty() { status_code.canonical_reason().unwrap_or("Error") } else { message };
        Self::new(status_code, 20_000 + status_code.as_u16(), message)
    }

    fn new(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

/// Why a call has no proper answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Twilio says no.
    Answer(ApiError),
    /// The connection is closed and nothing is said.
    Silence,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Answer(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(error) => write!(f, "{}: {}", error.code, error.message),
            Self::Silence => f.write_str("the connection is dropped"),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Answer(error) => error.status,
            Self::Silence => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let Self::Answer(error) = self else {
            return hang_up();
        };
        let mut answer = HttpResponse::build(error.status);
        if error.status == StatusCode::UNAUTHORIZED {
            answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"Twilio API\""));
        }
        answer.json(json!({
            "code": error.code,
            "message": error.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", error.code),
            "status": error.status.as_u16(),
        }))
    }
}
