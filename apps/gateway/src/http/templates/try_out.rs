//! Templates tried out: filled in with samples, to be looked at or sent to oneself.

use actix_web::{post, web};
use serde::Serialize;

use super::body::{TemplateBody, TemplatePreview};
use super::key::{KeyParams, PathKey};
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, Optional};
use crate::state::AppState;

/// What left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TestSent {
    /// To how many numbers, addresses or devices of yours.
    #[schema(example = 1)]
    sent: u32,
}

/// Fills a template in with samples.
///
/// The one that holds or, if texts are sent, those: they are checked as if they were to be kept, and are not.
#[utoipa::path(
    tag = "templates",
    operation_id = "previewTemplate",
    params(KeyParams),
    request_body = Option<TemplateBody>,
    responses((status = 200, description = "As people would read it", body = TemplatePreview)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/notification-templates/{kind}/{channel}/{language}/preview")]
pub(crate) async fn preview_template(
    admin: Admin,
    state: web::Data<AppState>,
    key: PathKey,
    body: Optional<TemplateBody>,
) -> ApiResult<web::Json<TemplatePreview>> {
    let rendered = state.market.notify.preview_template(&admin.caller, key.0, body.0.map(Into::into)).await?;
    Ok(web::Json(rendered.into()))
}

/// Sends the template that holds, filled in with samples, to yourself.
///
/// By SMS to your number, by mail to your address, or to your devices. It is on record.
#[utoipa::path(
    tag = "templates",
    operation_id = "testTemplate",
    params(KeyParams),
    responses((status = 200, description = "It was taken by the provider", body = TestSent),
              (status = 409, description = "You have no such contact, or nothing goes by this way", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The provider refused it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/notification-templates/{kind}/{channel}/{language}/test")]
pub(crate) async fn test_template(
    admin: Admin,
    state: web::Data<AppState>,
    key: PathKey,
) -> ApiResult<web::Json<TestSent>> {
    let sent = state.market.send_template_test(&admin.caller, admin.user, key.0).await?;
    Ok(web::Json(TestSent { sent }))
}
