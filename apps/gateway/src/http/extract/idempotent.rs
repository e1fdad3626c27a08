//! `Idempotency-Key`: a client's own name for a request, so that repeating it is safe.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::error::ApiError;

/// The key that the client gave, if it gave one. Both the quoted form of the IETF draft and the bare one are taken.
#[derive(Debug, Clone)]
pub(crate) struct Idempotent(pub(crate) Option<String>);

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
