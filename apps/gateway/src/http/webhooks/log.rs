//! What was sent to an endpoint, and once more by hand.

use actix_web::{HttpResponse, get, post, web};
use kernel::{HookDeliveryId, HookId, InvalidInput, Page, Paging};
use notify::HookDeliveryView;
use serde::Deserialize;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, PathId, Query};
use crate::state::AppState;

/// Which part of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct LogParams {
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Webhooks per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// Lists the webhooks of an endpoint, newest first.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "webhookDeliveries",
    params(("id" = String, Path, format = Uuid, description = "The endpoint"), LogParams),
    responses((status = 200, description = "A page of webhooks", body = Page<HookDeliveryView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/webhooks/{id}/deliveries")]
pub(crate) async fn webhook_deliveries(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookId>,
    params: Query<LogParams>,
) -> ApiResult<web::Json<Page<HookDeliveryView>>> {
    let LogParams { page, limit, cursor } = params.0;
    let paging =
        Paging::parse(page, limit, cursor).map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
    Ok(web::Json(state.market.notify.hook_deliveries(&admin.caller, id.0, &paging).await?))
}

/// Sends a webhook once more, with all its tries.
///
/// Under the same `webhook-id`, by which the receiver tells a repetition.
#[utoipa::path(
    tag = "webhooks",
    operation_id = "resendWebhook",
    params(("id" = String, Path, format = Uuid, description = "The webhook")),
    responses((status = 204, description = "It will be sent at once"),
              (status = 409, description = "It is under way already", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/webhook-deliveries/{id}/resend")]
pub(crate) async fn resend_webhook(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<HookDeliveryId>,
) -> ApiResult<HttpResponse> {
    state.market.resend_webhook(&admin.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
