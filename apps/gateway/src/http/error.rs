//! The one way in which the API answers that something went wrong: RFC 9457 `application/problem+json`.
//!
//! Handlers return [`ApiError`]; the outermost middleware writes the body, because only it knows the request's id
//! and path, and because it also turns the framework's own errors into problems.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use kernel::{DomainError, ErrorKind, FieldError};
use serde::Serialize;

/// What a handler returns.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// A failure on its way to the client.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    allow: Option<String>,
}

/// The body of every answer that is not a success (RFC 9457), media type `application/problem+json`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// A URI that identifies the kind of problem.
    #[schema(example = "/problems/invalid_input")]
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    #[schema(example = "Bad Request")]
    title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What happened, and what would help.
    #[schema(example = "the input is not valid: see errors")]
    detail: String,
    /// The path that was asked for.
    #[schema(example = "/api/listings")]
    instance: String,
    /// A stable code for programs.
    #[schema(example = "invalid_input")]
    code: String,
    /// The request's id, also in the header `X-Request-Id` and in the server's log.
    #[schema(example = "019300f0-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    request_id: String,
    /// What is wrong with which field of the input; empty for other problems.
    errors: Vec<FieldError>,
}

impl ApiError {
    /// A failure with its status, code, and a sentence for the client.
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let code = code.into();
        Self { status, code, detail: detail.into(), fields: Vec::new(), retry_after: None, allow: None }
    }

    /// There is nothing here, or not for the one who asks.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// Nobody is logged in.
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "log in first: send an access token as `Authorization: Bearer …`",
        )
    }

    /// The path is here, but not for this method.
    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let detail = format!("this path takes {allow}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail) }
    }

    /// One field of the input is wrong.
    pub(crate) fn invalid(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        kernel::InvalidInput::field(field, code, message).into()
    }

    /// The same failure, told of one part of a field of the input: `file 2: …`.
    pub(crate) fn of_field(mut self, field: &str, part: &str) -> Self {
        self.fields.push(FieldError {
            field: field.to_owned(),
            code: self.code.to_string(),
            message: format!("{part}: {}", self.detail),
        });
        self
    }

    /// The same failure, with what is wrong with one field of the input.
    pub(crate) fn with_field(mut self, fault: FieldError) -> Self {
        self.fields.push(fault);
        self
    }

    /// The same failure under another status.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same failure, with the time after which another try makes sense.
    pub(crate) fn retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// The problem that stands for a failure of the framework, known by its status alone.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "the request cannot be read"),
            StatusCode::NOT_FOUND => ("not_found", "there is nothing here"),
            StatusCode::REQUEST_TIMEOUT => ("request_timeout", "the request did not arrive in time"),
            StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the request is larger than is taken"),
            StatusCode::URI_TOO_LONG => ("uri_too_long", "the path or query is too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported_media_type", "this content type is not taken")
            }
            status if status.is_client_error() => ("refused", "the request was refused"),
            _ => ("internal", "something went wrong on our side; the request id helps us to find out what"),
        };
        Self::new(status, code, detail)
    }

    /// The body, for a request.
    pub(crate) fn problem(&self, request_id: &str, path: &str) -> Problem {
        Problem {
            kind: format!("/problems/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: path.to_owned(),
            code: self.code.to_string(),
            request_id: request_id.to_owned(),
            errors: self.fields.clone(),
        }
    }
}

/// Every domain's error becomes a problem by its kind; an internal one is logged here, once, and says nothing.
impl<E: DomainError> From<E> for ApiError {
    fn from(error: E) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = chain(&error), code = error.code(), "a request failed");
        }
        let fields = error.fields().to_vec();
        let retry_after = error.retry_after();
        let base = match status {
            StatusCode::INTERNAL_SERVER_ERROR => Self::of_status(status),
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::new(status, error.code(), "this cannot be done right now; try again shortly")
            }
            _ => Self::new(status, error.code(), error.to_string()),
        };
        Self { fields, retry_after, ..base }
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(pause) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, pause.as_secs().max(1).to_string()));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        let mut response = response.finish();
        // The outermost middleware finds it here and writes the body.
        response.extensions_mut().insert(self.clone());
        response
    }
}
