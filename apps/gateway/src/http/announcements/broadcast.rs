//! Broadcasts: what administrators say to everybody who is connected.

use actix_web::{HttpResponse, post, web};
use kernel::EventId;
use serde::Serialize;

use super::body::BroadcastBody;
use crate::http::error::ApiResult;
use crate::http::extract::{Admin, Valid};
use crate::state::AppState;

/// A broadcast on its way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BroadcastSent {
    /// The event by which clients hear it: `meta.eventId` of `broadcast:new`.
    event_id: EventId,
}

/// Tells everybody who is connected, at once.
///
/// Sockets hear `broadcast:new`. It goes into no inbox: whoever is to find it later needs an announcement.
#[utoipa::path(
    tag = "announcements",
    operation_id = "broadcast",
    request_body = BroadcastBody,
    responses((status = 202, description = "It is on its way", body = BroadcastSent)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/broadcast")]
pub(crate) async fn broadcast(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<BroadcastBody>,
) -> ApiResult<HttpResponse> {
    let broadcast = body.0.parse()?;
    let event_id = state.market.notify.broadcast(&admin.caller, &broadcast).await?;
    Ok(HttpResponse::Accepted().json(BroadcastSent { event_id }))
}
