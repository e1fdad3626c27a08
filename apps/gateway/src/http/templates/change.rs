//! Templates put in a default's place, and the default put back.

use actix_web::{HttpRequest, HttpResponse, delete, put, web};
use notify::TemplateView;

use super::body::TemplateBody;
use super::key::{KeyParams, PathKey};
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, Valid, Versioned, conditional_json};
use crate::state::AppState;

/// Puts a template in the default's place.
///
/// It is tried out with samples first: what cannot be filled in, names something unknown, or is too long is refused. Send
/// the template's `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "templates",
    operation_id = "setTemplate",
    params(KeyParams,
           ("If-Match" = Option<String>, Header, description = "The template's `ETag` as you have seen it", example = "\"0\"")),
    request_body = TemplateBody,
    responses((status = 200, description = "What holds now", body = TemplateView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/notification-templates/{kind}/{channel}/{language}")]
pub(crate) async fn set_template(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    key: PathKey,
    seen: IfMatch,
    body: Valid<TemplateBody>,
) -> ApiResult<HttpResponse> {
    let template = state.market.notify.set_template(&admin.caller, key.0, body.0.into(), seen.0).await?;
    Ok(conditional_json(&request, &Versioned { version: template.version, body: template }))
}

/// Puts the default back.
#[utoipa::path(
    tag = "templates",
    operation_id = "resetTemplate",
    params(KeyParams,
           ("If-Match" = Option<String>, Header, description = "The template's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 200, description = "The default, which holds now", body = TemplateView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[delete("/api/notification-templates/{kind}/{channel}/{language}")]
pub(crate) async fn reset_template(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    key: PathKey,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    let template = state.market.notify.reset_template(&admin.caller, key.0, seen.0).await?;
    Ok(conditional_json(&request, &Versioned { version: template.version, body: template }))
}
