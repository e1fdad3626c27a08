//! `Idempotency-Key`: a client's own name for a request, so that repeating it is safe.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use kernel::UserId;
use serde::Deserialize;
use store::{IdempotencyKey, StoredAnswer};

use crate::http::error::ApiError;

/// The key that the client gave, if it gave one. Both the quoted form of the IETF draft and the bare one are taken.
#[derive(Debug, Clone)]
pub(crate) struct Idempotent(Option<String>);

impl Idempotent {
    /// The key in its scope: who asks, and for what. The body's bytes tell a repetition from another request.
    pub(crate) fn of(self, user: &UserId, operation: &str, body: &[u8]) -> Option<IdempotencyKey> {
        self.0.map(|key| IdempotencyKey::new(format!("{user} {operation}"), key, body))
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

/// The first answer once more, marked as such.
pub(crate) fn replayed(answer: &StoredAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    HttpResponse::build(status)
        .insert_header(("Idempotent-Replayed", "true"))
        .content_type("application/json")
        .body(answer.body.clone())
}

impl FromRequest for Idempotent {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get("idempotency-key") else { return ready(Ok(Self(None))) };
        let key = value.to_str().ok().map(|text| {
            let text = text.trim();
            text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
        });
        ready(match key {
            Some(key) if (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(ApiError::invalid(
                "Idempotency-Key",
                "malformed",
                "must be 1 to 255 visible ASCII characters",
            )),
        })
    }
}
