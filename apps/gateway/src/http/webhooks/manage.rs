//! Endpoints made, read, changed and removed.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, put, web};
use kernel::HookId;
use notify::HookView;
use serde::Serialize;

use super::body::{WebhookBody, WebhookWithSecret};
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Valid, Versioned, conditional_json};
use crate::state::AppState;

/// All endpoints.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WebhookList {
    /// In the order they were made.
    data: Vec<HookView>,
}

/// Lists the endpoints to which webhooks go.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "listWebhooks",
    responses((status = 200, description = "The endpoints", body = WebhookList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/webhooks")]
pub(crate) async fn list_webhooks(
    admin: Admin,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<WebhookList>> {
    Ok(web::Json(WebhookList { data: state.market.notify.hooks(&admin.caller).await? }))
}

/// Makes an endpoint.
///
/// Webhooks follow Standard Webhooks and are signed with the secret, which is shown this once.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "createWebhook",
    request_body = WebhookBody,
    responses((status = 201, description = "The endpoint and its secret", body = WebhookWithSecret,
               headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
              (status = 409, description = "There are as many as there may be", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/webhooks")]
pub(crate) async fn create_webhook(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<WebhookBody>,
) -> ApiResult<HttpResponse> {
    let notify = &state.market.notify;
    let input = body.0.parse(notify.config().hooks_to_loopback)?;
    let made = notify.create_hook(&admin.caller, &input).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/webhooks/{}", made.hook.id)))
        .insert_header((ETAG, format!("\"{}\"", made.hook.version)))
        .json(WebhookWithSecret::from(made)))
}

/// Shows an endpoint.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "webhook",
    params(("id" = String, Path, format = Uuid, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = HookView,
               headers(("ETag" = String, description = "Its version, for `If-Match`"))),
              (status = 304, description = "You have this version already")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/webhooks/{id}")]
pub(crate) async fn webhook(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
) -> ApiResult<HttpResponse> {
    let hook = state.market.notify.hook(&admin.caller, id.0).await?;
    Ok(conditional_json(&request, &Versioned { version: hook.version, body: hook }))
}

/// Changes an endpoint: all of it, at once. Its secret stays.
///
/// Send its `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "updateWebhook",
    params(("id" = String, Path, format = Uuid, description = "The endpoint"),
           ("If-Match" = Option<String>, Header, description = "The endpoint's `ETag` as you have seen it", example = "\"1\"")),
    request_body = WebhookBody,
    responses((status = 200, description = "The endpoint", body = HookView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/webhooks/{id}")]
pub(crate) async fn update_webhook(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
    seen: IfMatch,
    body: Valid<WebhookBody>,
) -> ApiResult<HttpResponse> {
    let notify = &state.market.notify;
    let input = body.0.parse(notify.config().hooks_to_loopback)?;
    let hook = notify.update_hook(&admin.caller, id.0, &input, seen.0).await?;
    Ok(conditional_json(&request, &Versioned { version: hook.version, body: hook }))
}

/// Removes an endpoint with its log. What waits to be sent to it is not sent.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "deleteWebhook",
    params(("id" = String, Path, format = Uuid, description = "The endpoint")),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[delete("/api/webhooks/{id}")]
pub(crate) async fn delete_webhook(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.delete_hook(&admin.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
