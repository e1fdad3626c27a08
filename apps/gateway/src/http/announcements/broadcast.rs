//! Broadcasts: what administrators say to everybody who is connected.

use actix_web::{HttpResponse, post, web};
use kernel::EventId;
use marketplace::Once;
use serde::Serialize;
use store::StoredAnswer;

use super::body::BroadcastBody;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IdempotencyHeader, Idempotent, Valid, replayed};
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
    params(IdempotencyHeader),
    request_body = BroadcastBody,
    responses((status = 202, description = "It is on its way", body = BroadcastSent),
              (status = 409, description = "The first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/broadcast")]
pub(crate) async fn broadcast(
    admin: Admin,
    state: web::Data<AppState>,
    key: Idempotent,
    body: Valid<BroadcastBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&admin.user, "POST /api/announcements/broadcast", &body.1);
    let broadcast = body.0.parse()?;
    let sent = state.market.broadcast(&admin.caller, &broadcast, key.as_ref(), kept_answer).await?;
    Ok(match sent {
        Once::Now(event_id) => HttpResponse::Accepted().json(BroadcastSent { event_id }),
        Once::Before(answer) => replayed(&answer),
    })
}

fn kept_answer(event_id: &EventId) -> StoredAnswer {
    let sent = BroadcastSent { event_id: *event_id };
    StoredAnswer { status: 202, body: serde_json::to_string(&sent).unwrap_or_default() }
}
