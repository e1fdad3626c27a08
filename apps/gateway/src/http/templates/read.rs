//! The catalogue and its templates, read.

use actix_web::{HttpRequest, HttpResponse, get, web};
use notify::{KindView, TemplateView, catalogue};
use serde::Serialize;

use super::key::{KeyParams, PathKey};
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, Versioned, conditional_json};
use crate::state::AppState;

/// Everything that people are told of.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KindList {
    /// By category.
    data: Vec<KindView>,
}

/// Every template.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TemplateList {
    /// In the catalogue's order.
    data: Vec<TemplateView>,
}

/// Lists what people are told of: each kind with its category, its ways and what its texts may name.
#[utoipa::path(
    tag = "templates",
    operation_id = "notificationKinds",
    responses((status = 200, description = "The catalogue", body = KindList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/notification-kinds")]
pub(crate) async fn notification_kinds(_: Admin) -> web::Json<KindList> {
    web::Json(KindList { data: catalogue() })
}

/// Lists every template: what holds, and whether staff put it in the default's place.
#[utoipa::path(
    tag = "templates",
    operation_id = "listTemplates",
    responses((status = 200, description = "The templates", body = TemplateList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/notification-templates")]
pub(crate) async fn list_templates(
    admin: Admin,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<TemplateList>> {
    Ok(web::Json(TemplateList { data: state.market.notify.templates(&admin.caller).await? }))
}

/// Shows a template.
#[utoipa::path(
    tag = "templates",
    operation_id = "template",
    params(KeyParams),
    responses((status = 200, description = "What holds", body = TemplateView,
               headers(("ETag" = String, description = "Its version, for `If-Match`; 0 if it was never changed"))),
              (status = 304, description = "You have this version already"),
              (status = 404, description = "There is no such kind, way or language", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/notification-templates/{kind}/{channel}/{language}")]
pub(crate) async fn template(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    key: PathKey,
) -> ApiResult<HttpResponse> {
    let template = state.market.notify.template(&admin.caller, key.0).await?;
    Ok(conditional_json(&request, &Versioned { version: template.version, body: template }))
}
