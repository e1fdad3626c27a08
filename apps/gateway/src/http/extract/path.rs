//! Ids in paths. Something that is no id is not found, like an id that nothing has.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use kernel::TypedId;
use uuid::Uuid;

use crate::http::error::ApiError;

/// The path's parameter `id`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId<I>(pub(crate) I);

impl<I: TypedId> FromRequest for PathId<I> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        ready(id.map(|id| Self(I::from(id))).ok_or_else(ApiError::not_found))
    }
}
