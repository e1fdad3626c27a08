//! Endpoints switched on and off, and given a new secret.

use actix_web::{HttpRequest, HttpResponse, post, web};
use kernel::HookId;
use notify::HookView;

use super::body::WebhookWithSecret;
use crate::http::error::ApiResult;
use crate::http::extract::{Admin, PathId, Versioned, conditional_json};
use crate::state::AppState;

/// Switches an endpoint on. One that failed gets all its time anew.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "enableWebhook",
    params(("id" = String, Path, format = Uuid, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = HookView,
               headers(("ETag" = String, description = "Its version")))),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/webhooks/{id}/enable")]
pub(crate) async fn enable_webhook(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
) -> ApiResult<HttpResponse> {
    let hook = state.market.notify.switch_hook(&admin.caller, id.0, true).await?;
    Ok(conditional_json(&request, &Versioned { version: hook.version, body: hook }))
}

/// Switches an endpoint off: nothing is sent to it until it is switched on.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "disableWebhook",
    params(("id" = String, Path, format = Uuid, description = "The endpoint")),
    responses((status = 200, description = "The endpoint", body = HookView,
               headers(("ETag" = String, description = "Its version")))),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/webhooks/{id}/disable")]
pub(crate) async fn disable_webhook(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
) -> ApiResult<HttpResponse> {
    let hook = state.market.notify.switch_hook(&admin.caller, id.0, false).await?;
    Ok(conditional_json(&request, &Versioned { version: hook.version, body: hook }))
}

/// Gives an endpoint a new secret, which is shown this once.
///
/// The old one signs beside it for a day, so that the receiver can change over.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "rotateWebhookSecret",
    params(("id" = String, Path, format = Uuid, description = "The endpoint")),
    responses((status = 200, description = "The endpoint and its new secret", body = WebhookWithSecret)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/webhooks/{id}/rotate-secret")]
pub(crate) async fn rotate_webhook_secret(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
) -> ApiResult<web::Json<WebhookWithSecret>> {
    let rotated = state.market.notify.rotate_hook_secret(&admin.caller, id.0).await?;
    Ok(web::Json(rotated.into()))
}
