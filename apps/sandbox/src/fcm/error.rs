//! Google's errors: `{error: {code, message, status, details}}` (google.aip.dev/193), with Firebase's own code among the
//! details.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Value, json};

use crate::http::hang_up;

/// A refusal in Google's words.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    general: &'static str,
    message: String,
    details: Vec<Value>,
}

impl ApiError {
    fn new(status: StatusCode, general: &'static str, message: impl Into<String>) -> Self {
        Self { status, general, message: message.into(), details: Vec::new() }
    }

    /// With Firebase's own code.
    fn with_code(mut self, code: &str) -> Self {
        let detail =
            json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code});
        self.details.push(detail);
        self
    }

    /// No access token, or none that holds.
    pub(super) fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                       other valid authentication credential.";
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    /// Another project than the service account's.
    pub(super) fn other_project(project: &str) -> Self {
        let message = format!(
            "Permission 'cloudmessaging.messages.create' denied on resource '//cloudresourcemanager.googleapis.com/projects/{project}'"
        );
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    /// A message that is wrong, with the fields that make it so.
    pub(super) fn wrong_message(violations: &[(String, String)]) -> Self {
        let told: Vec<_> = violations.iter().map(|(_, description)| description.as_str()).collect();
        let fields: Vec<_> = violations
            .iter()
            .map(|(field, description)| json!({"field": field, "description": description}))
            .collect();
        let mut error = Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", told.join("\n"));
        error.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": fields,
        }));
        error
    }

    /// A token that never was one.
    pub(super) fn wrong_token() -> Self {
        let message = "The registration token is not a valid FCM registration token";
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message).with_code("INVALID_ARGUMENT")
    }

    /// A token whose app was removed.
    pub(super) fn unregistered() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Requested entity was not found.")
            .with_code("UNREGISTERED")
    }

    /// A token of another project.
    pub(super) fn sender_mismatch() -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "SenderId mismatch")
            .with_code("SENDER_ID_MISMATCH")
    }

    /// What Google answers when the failure is on its side or of a general sort.
    pub(super) fn injected(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match status.as_u16() {
            401 => Self::new(status, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service")
                .with_code("THIRD_PARTY_AUTH_ERROR"),
            403 => Self::new(status, "PERMISSION_DENIED", "The caller does not have permission"),
            404 => Self::unregistered(),
            429 => Self::new(status, "RESOURCE_EXHAUSTED", "Quota exceeded.").with_code("QUOTA_EXCEEDED"),
            500 => Self::new(status, "INTERNAL", "Internal error encountered.").with_code("INTERNAL"),
            503 => Self::new(status, "UNAVAILABLE", "The service is currently unavailable.")
                .with_code("UNAVAILABLE"),
            _ => Self::new(status, "UNKNOWN", status.canonical_reason().unwrap_or("Error")),
        }
    }
}

/// Why a call has no proper answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Google says no.
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
            Self::Answer(error) => write!(f, "{}: {}", error.general, error.message),
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
        let mut body = json!({
            "code": error.status.as_u16(),
            "message": error.message,
            "status": error.general,
        });
        if let Some(body) = body.as_object_mut().filter(|_| !error.details.is_empty()) {
            body.insert("details".to_owned(), json!(error.details));
        }
        HttpResponse::build(error.status).json(json!({"error": body}))
    }
}
