//! What one does with one's notifications: read, follow, delete. Each may be repeated; the first time counts.

use actix_web::{HttpResponse, delete, post, put, web};
use kernel::NotificationId;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Optional, PathId, not_null};
use crate::state::AppState;

/// How far to read.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ReadAllBody {
    /// The newest notification that you have seen: what came after it stays unread. All of them, if it is left out.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, format = Uuid, example = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    up_to: Option<NotificationId>,
}

/// How many notifications were read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReadCount {
    /// Those that were unread before.
    #[schema(example = 3)]
    read: u64,
}

/// Marks a notification as read.
#[utoipa::path(
    tag = "notifications",
    operation_id = "readNotification",
    params(("id" = String, Path, format = Uuid, description = "The notification")),
    responses((status = 204, description = "It is read, now or before")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[put("/api/notifications/{id}/read")]
pub(crate) async fn read_notification(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<NotificationId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.mark_notification_read(member.user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Marks all your notifications as read, up to the newest that you have seen.
#[utoipa::path(
    tag = "notifications",
    operation_id = "readAllNotifications",
    request_body = Option<ReadAllBody>,
    responses((status = 200, description = "They are read", body = ReadCount)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[put("/api/notifications/read-all")]
pub(crate) async fn read_all_notifications(
    member: Member,
    state: web::Data<AppState>,
    body: Optional<ReadAllBody>,
) -> ApiResult<web::Json<ReadCount>> {
    let up_to = body.0.and_then(|body| body.up_to);
    let read = state.market.notify.mark_all_notifications_read(member.user, up_to).await?;
    Ok(web::Json(ReadCount { read }))
}

/// Notes that a notification was followed; it is read then too.
#[utoipa::path(
    tag = "notifications",
    operation_id = "clickNotification",
    params(("id" = String, Path, format = Uuid, description = "The notification")),
    responses((status = 204, description = "It is noted, now or before")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/notifications/{id}/clicked")]
pub(crate) async fn click_notification(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<NotificationId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.mark_notification_clicked(member.user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a notification.
#[utoipa::path(
    tag = "notifications",
    operation_id = "deleteNotification",
    params(("id" = String, Path, format = Uuid, description = "The notification")),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[delete("/api/notifications/{id}")]
pub(crate) async fn delete_notification(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<NotificationId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.delete_notification(member.user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
