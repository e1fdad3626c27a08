//! How the sandbox's own routes refuse: RFC 9457 problem details. The providers' routes use the providers' errors.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use kernel::{FieldError, InvalidInput};
use serde_json::json;

/// A refused request to the inbox or to the faults.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<FieldError>,
}

impl Problem {
    /// A refusal that no single field is to blame for.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }
}

impl From<InvalidInput> for Problem {
    fn from(input: InvalidInput) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: input.to_string(), errors: input.0 }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status).content_type("application/problem+json").json(json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "errors": self.errors,
        }))
    }
}
