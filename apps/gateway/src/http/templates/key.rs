//! Which template a path names.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use notify::{Language, TemplateKey};

use crate::http::error::ApiError;

/// The path's parameters `kind`, `channel` and `language`. Words that name no template are not found.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathKey(pub(super) TemplateKey);

impl FromRequest for PathKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let word = |name| request.match_info().get(name).unwrap_or_default();
        let language = Language::ALL.into_iter().find(|language| language.tag() == word("language"));
        let key = match (word("kind").parse(), word("channel").parse(), language) {
            (Ok(kind), Ok(channel), Some(language)) => Some(TemplateKey { kind, channel, language }),
            _ => None,
        };
        ready(key.map(Self).ok_or_else(ApiError::not_found))
    }
}

/// The same parameters, as the document shows them.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "they are read by `PathKey`; this is their description")]
pub(super) struct KeyParams {
    /// The kind of notification, as `GET /api/notification-kinds` lists them.
    #[param(example = "listing.approved", pattern = "^[a-z_]+(\\.[a-z_]+)?$", max_length = 64)]
    kind: String,
    /// The way: `in_app`, `push`, `sms` or `email`.
    #[param(inline, example = "email")]
    channel: notify::Channel,
    /// The language: `en` or `hi`.
    #[param(example = "en", pattern = "^(en|hi)$")]
    language: String,
}
