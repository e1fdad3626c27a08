//! `Idempotency-Key`: a client's own name for a request, so that repeating it is safe.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use kernel::{FieldError, UserId};
use marketplace::KeptRefusal;
use serde::Deserialize;
use store::{IdempotencyKey, StoredAnswer};

use crate::http::error::ApiError;

/// The header's name, as problems tell it.
const HEADER: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key that the client gave, if it gave one. Both the quoted form of the IETF draft and the bare one are taken.
#[derive(Debug, Clone)]
pub(crate) struct Idempotent(Option<String>);

impl Idempotent {
    /// The key in its scope: who asks, and for what. The body's bytes tell a repetition from another request.
    pub(crate) fn of(self, user: &UserId, operation: &str, body: &[u8]) -> Option<IdempotencyKey> {
        self.0.map(|key| IdempotencyKey::new(format!("{user} {operation}"), key, body))
    }
}

/// The key of a request that moves money: without one it is refused.
#[derive(Debug, Clone)]
pub(crate) struct RequiredKey(String);

impl RequiredKey {
    /// The key in its scope: who asks, and for what.
    pub(crate) fn of(self, user: &UserId, operation: &str, body: &[u8]) -> IdempotencyKey {
        IdempotencyKey::new(format!("{user} {operation}"), self.0, body)
    }
}

/// The header, as the document shows it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is read by `Idempotent`; this is its description")]
pub(crate) struct IdempotencyHeader {
    /// Your own name for this request, kept for a day: repeating the request under it gives the first answer again.
    #[serde(rename = "Idempotency-Key")]
    #[param(
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: Option<String>,
}

/// The same header where it must be given.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is read by `RequiredKey`; this is its description")]
pub(crate) struct RequiredKeyHeader {
    /// Your own name for this request, kept for a day: repeating the request under it gives the first answer again.
    #[serde(rename = "Idempotency-Key")]
    #[param(
        example = "8e03978e-40d5-43dd-bc93-6894a57f9324",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: String,
}

/// The first answer once more, marked as such: a success as it was sent, a refusal as a problem of this request.
pub(crate) fn replayed(answer: &StoredAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    if status.is_client_error() {
        let refusal = serde_json::from_str::<KeptRefusal>(&answer.body).unwrap_or_default();
        let mut response = ApiError::new(status, refusal.code, refusal.detail).error_response();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        return response;
    }
    HttpResponse::build(status)
        .insert_header((REPLAYED, "true"))
        .content_type("application/json")
        .body(answer.body.clone())
}

impl FromRequest for Idempotent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(given(request).map(Self))
    }
}

impl FromRequest for RequiredKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(given(request).and_then(|key| {
            let message = "send a header Idempotency-Key of your own making, such as a UUID; repeat the request under \
                           the same key when its answer is lost";
            let missing = || {
                ApiError::new(StatusCode::BAD_REQUEST, "idempotency_key_required", message).with_field(FieldError {
                    field: HEADER.to_owned(),
                    code: "required".to_owned(),
                    message: message.to_owned(),
                })
            };
            key.map(Self).ok_or_else(missing)
        }))
    }
}

/// The key in the request, if there is one.
fn given(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().map(|text| {
        let text = text.trim();
        text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
    });
    match key {
        Some(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(ApiError::invalid(HEADER, "malformed", "must be 1 to 255 visible ASCII characters")),
    }
}
