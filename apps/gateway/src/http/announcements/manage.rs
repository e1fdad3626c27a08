//! Announcements written, changed and removed by administrators, while they are drafts.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, delete, post, put, web};
use kernel::AnnouncementId;
use notify::AnnouncementView;

use super::body::AnnouncementBody;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Valid, Versioned, conditional_json};
use crate::state::AppState;

/// Writes a draft of an announcement.
///
/// Nobody is told before it is scheduled.
#[utoipa::path(
    tag = "announcements",
    operation_id = "createAnnouncement",
    request_body = AnnouncementBody,
    responses((status = 201, description = "The draft", body = AnnouncementView,
               headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version")))),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements")]
pub(crate) async fn create_announcement(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<AnnouncementBody>,
) -> ApiResult<HttpResponse> {
    let fields = body.0.parse()?;
    let announcement = state.market.notify.create_announcement(&admin.caller, &fields).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/announcements/{}", announcement.id)))
        .insert_header((ETAG, format!("\"{}\"", announcement.version)))
        .json(announcement))
}

/// Changes a draft: all of it, at once.
///
/// Send its `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "announcements",
    operation_id = "updateAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement"),
           ("If-Match" = Option<String>, Header, description = "The announcement's `ETag` as you have seen it", example = "\"1\"")),
    request_body = AnnouncementBody,
    responses((status = 200, description = "The draft", body = AnnouncementView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "It is no draft", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/announcements/{id}")]
pub(crate) async fn update_announcement(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
    seen: IfMatch,
    body: Valid<AnnouncementBody>,
) -> ApiResult<HttpResponse> {
    let fields = body.0.parse()?;
    let announcement = state.market.notify.update_announcement(&admin.caller, id.0, &fields, seen.0).await?;
    Ok(conditional_json(&request, &Versioned { version: announcement.version, body: announcement }))
}

/// Removes a draft.
#[utoipa::path(
    tag = "announcements",
    operation_id = "deleteAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "It is no draft", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[delete("/api/announcements/{id}")]
pub(crate) async fn delete_announcement(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.delete_announcement(&admin.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
