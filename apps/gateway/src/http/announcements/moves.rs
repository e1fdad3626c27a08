//! How an announcement goes on its way, comes back, and ends.

use actix_web::{HttpRequest, HttpResponse, post, web};
use kernel::AnnouncementId;
use notify::{AnnouncementEvent, AnnouncementView};

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Versioned, conditional_json};
use crate::state::AppState;

async fn moved(
    request: &HttpRequest,
    admin: &Admin,
    state: &AppState,
    (id, seen): (AnnouncementId, Option<i64>),
    event: AnnouncementEvent,
) -> ApiResult<HttpResponse> {
    let announcement = state.market.notify.move_announcement(&admin.caller, id, event, seen).await?;
    Ok(conditional_json(request, &Versioned { version: announcement.version, body: announcement }))
}

/// Schedules a draft: it begins at `startsAt`, or within a minute.
///
/// People are told in batches, in the order of their ids.
#[utoipa::path(
    tag = "announcements",
    operation_id = "scheduleAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement"),
           ("If-Match" = Option<String>, Header, description = "The announcement's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 200, description = "The announcement", body = AnnouncementView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "It is no draft, or its time is over already", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/{id}/schedule")]
pub(crate) async fn schedule_announcement(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    moved(&request, &admin, &state, (id.0, seen.0), AnnouncementEvent::Schedule).await
}

/// Takes a scheduled announcement back: it is a draft again.
///
/// One that has begun can only be stopped.
#[utoipa::path(
    tag = "announcements",
    operation_id = "unscheduleAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement"),
           ("If-Match" = Option<String>, Header, description = "The announcement's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 200, description = "The announcement", body = AnnouncementView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "It does not wait for its hour", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/{id}/unschedule")]
pub(crate) async fn unschedule_announcement(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    moved(&request, &admin, &state, (id.0, seen.0), AnnouncementEvent::Unschedule).await
}

/// Stops an announcement: nobody else is told, and nobody is shown it any more.
///
/// What waits to be pushed is not sent. It cannot be taken up again.
#[utoipa::path(
    tag = "announcements",
    operation_id = "stopAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement"),
           ("If-Match" = Option<String>, Header, description = "The announcement's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 200, description = "The announcement", body = AnnouncementView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "It is over already, or a draft", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/{id}/stop")]
pub(crate) async fn stop_announcement(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    moved(&request, &admin, &state, (id.0, seen.0), AnnouncementEvent::Stop).await
}
