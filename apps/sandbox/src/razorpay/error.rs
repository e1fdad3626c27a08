//! Razorpay's errors: `{"error": {code, description, field, source, step, reason, metadata}}`
//! (razorpay.com/docs/errors, and the errors listed with each call).

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};

use crate::http::hang_up;

/// Where and why something went wrong, in Razorpay's words.
#[derive(Debug, Clone, Copy)]
struct Origin {
    source: &'static str,
    step: &'static str,
    reason: &'static str,
}

/// Of what was sent.
const INPUT: Origin =
    Origin { source: "business", step: "payment_initiation", reason: "input_validation_failed" };

/// Of what concerns no step of a payment.
const NOWHERE: Origin = Origin { source: "NA", step: "NA", reason: "NA" };

/// A refusal in Razorpay's words.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    description: String,
    field: Option<String>,
    origin: Origin,
}

impl ApiError {
    /// Something in the request is not as it must be, or does not fit the state of things: HTTP 400.
    pub(super) fn refused(description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "BAD_REQUEST_ERROR",
            description: description.into(),
            field: None,
            origin: INPUT,
        }
    }

    /// A field is not as it must be.
    pub(super) fn field(field: &str, description: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::refused(description) }
    }

    /// Fields that the call does not have.
    pub(super) fn extra_fields(names: &[&str]) -> Self {
        let description = format!("{} is/are not required and should not be sent", names.join(", "));
        Self { origin: Origin { reason: "extra_field_sent", ..INPUT }, ..Self::refused(description) }
    }

    /// An order of less than a rupee.
    pub(super) fn order_too_small() -> Self {
        let origin = Origin { step: "order_creation", reason: "amount_less_than_minimum_amount", ..INPUT };
        Self { origin, ..Self::field("amount", "Order amount less than minimum amount allowed") }
    }

    /// No such order, payment or refund.
    pub(super) fn unknown_id() -> Self {
        Self::refused("The id provided does not exist")
    }

    /// An id that none could be.
    pub(super) fn malformed_id(id: &str) -> Self {
        Self::refused(format!("{id} is not a valid id"))
    }

    /// An idempotency key with something else than before: HTTP 400
    /// (razorpay.com/docs/api/refunds/normal-refunds-idempotent).
    pub(super) fn key_reused() -> Self {
        let description = "Different request with the same idempotency key has already been processed.";
        Self { origin: NOWHERE, ..Self::refused(description) }
    }

    /// An idempotency key whose first request has not been answered yet: HTTP 409, to be tried again.
    pub(super) fn key_running() -> Self {
        let description =
            "Request failed because another request with the same idempotency key is in progress";
        Self { status: StatusCode::CONFLICT, origin: NOWHERE, ..Self::refused(description) }
    }

    /// Wrong credentials, or none.
    pub(super) fn unauthenticated() -> Self {
        let refusal = Self::refused("Authentication failed");
        Self { status: StatusCode::UNAUTHORIZED, origin: NOWHERE, ..refusal }
    }

    /// A path that there is not, or not with this method: HTTP 400, not 404.
    pub(super) fn no_such_url() -> Self {
        Self { origin: NOWHERE, ..Self::refused("The requested URL was not found on the server.") }
    }

    /// What a failure on Razorpay's side looks like.
    pub(super) fn injected(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::UNAUTHORIZED {
            return Self::unauthenticated();
        }
        let (code, description) = match status.as_u16() {
            429 => ("BAD_REQUEST_ERROR", "Too many requests. Please try again after some time."),
            400..500 => ("BAD_REQUEST_ERROR", status.canonical_reason().unwrap_or("Error")),
            504 => ("GATEWAY_ERROR", "The gateway request to submit payment information timed out"),
            _ => (
                "SERVER_ERROR",
                "We are facing some trouble completing your request at the moment. Please try again shortly.",
            ),
        };
        Self { status, code, origin: NOWHERE, ..Self::refused(description) }
    }

    /// The body of the answer.
    fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(self.code));
        error.insert("description".to_owned(), json!(self.description));
        error.insert("source".to_owned(), json!(self.origin.source));
        error.insert("step".to_owned(), json!(self.origin.step));
        error.insert("reason".to_owned(), json!(self.origin.reason));
        error.insert("metadata".to_owned(), json!({}));
        if let Some(field) = &self.field {
            error.insert("field".to_owned(), json!(field));
        }
        json!({ "error": error })
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description)
    }
}

impl std::error::Error for ApiError {}

/// Why a call has no proper answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Razorpay says no.
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
            Self::Answer(error) => error.fmt(f),
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
        match error.status {
            // That one comes from the edge before the API, and not as JSON.
            StatusCode::BAD_GATEWAY => {
                return answer
                    .content_type("text/html")
                    .body("<html><body><center><h1>502 Bad Gateway</h1></center></body></html>");
            }
            StatusCode::UNAUTHORIZED => {
                answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"Razorpay\""));
            }
            _ => {}
        }
        answer.json(error.body())
    }
}
