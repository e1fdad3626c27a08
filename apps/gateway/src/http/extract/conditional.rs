//! Versions: `ETag` on reads, `304` on `If-None-Match`, `If-Match` on edits (RFC 9110 §13).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{ETAG, EntityTag, Header, IfMatch as IfMatchHeader, IfNoneMatch};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use crate::http::error::ApiError;

/// A body with the version that its `ETag` tells.
#[derive(Debug)]
pub(crate) struct Versioned<T> {
    /// The version of the row behind the body.
    pub(crate) version: i64,
    /// The body.
    pub(crate) body: T,
}

fn tag(version: i64) -> EntityTag {
    EntityTag::new_strong(version.to_string())
}

/// Whether the client says that it has this version already (`If-None-Match`).
pub(crate) fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Items(items)) => items.iter().any(|item| item.weak_eq(tag)),
        Ok(IfNoneMatch::Any) => request.headers().contains_key("if-none-match"),
        Err(_) => false,
    }
}

/// `200` with the body and its `ETag`, or `304` when the client reads and has this version already.
pub(crate) fn conditional_json<T: Serialize>(
    request: &HttpRequest,
    versioned: &Versioned<T>,
) -> HttpResponse {
    let tag = tag(versioned.version);
    if request.method() == Method::GET && is_known(request, &tag) {
        return HttpResponse::NotModified().insert_header((ETAG, tag.to_string())).finish();
    }
    HttpResponse::Ok().insert_header((ETAG, tag.to_string())).json(&versioned.body)
}

/// The version that the client wants to edit, if it says so; another one is 412.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IfMatch(pub(crate) Option<i64>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if !request.headers().contains_key("if-match") {
            return ready(Ok(Self(None)));
        }
        ready(match IfMatchHeader::parse(request) {
            Ok(IfMatchHeader::Any) => Ok(Self(None)),
            // One edit starts from one version; to choose among several for the client would be to guess.
            Ok(IfMatchHeader::Items(items)) if items.len() > 1 => Err(ApiError::invalid(
                "If-Match",
                "too_many",
                "must be one entity tag: the version that you edit",
            )),
            // A tag that is no version of ours matches nothing: -1 is the version of no row.
            Ok(IfMatchHeader::Items(items)) => Ok(Self(Some(
                items
                    .first()
                    .filter(|item| !item.weak)
                    .and_then(|item| item.tag().parse().ok())
                    .unwrap_or(-1),
            ))),
            Err(_) => Err(ApiError::invalid("If-Match", "malformed", "must be an entity tag such as \"3\"")),
        })
    }
}
