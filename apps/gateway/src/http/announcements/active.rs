//! What people are shown, until they close it.

use actix_web::{HttpResponse, get, post, web};
use kernel::AnnouncementId;
use notify::{ActiveAnnouncementView, Language};
use serde::Serialize;

use crate::http::error::{ApiError, ApiResult, Problem};
use crate::http::extract::{Member, PathId};
use crate::state::AppState;

/// All announcements that are for you now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ActiveAnnouncements {
    /// The highest priority first.
    data: Vec<ActiveAnnouncementView>,
}

/// Lists the announcements that are for you now, the highest priority first.
///
/// In your language. What you closed is not among them.
#[utoipa::path(
    tag = "announcements",
    operation_id = "activeAnnouncements",
    responses((status = 200, description = "The announcements", body = ActiveAnnouncements)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/announcements/active")]
pub(crate) async fn active_announcements(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<ActiveAnnouncements>> {
    let facts = state.market.audience_facts(member.user).await?;
    let (reach, facts) = facts.ok_or_else(ApiError::unauthenticated)?;
    let language = Language::of_tag(&reach.language);
    let data = state.market.notify.active_announcements(member.user, language, &facts).await?;
    Ok(web::Json(ActiveAnnouncements { data }))
}

/// Closes an announcement: you are not shown it any more.
#[utoipa::path(
    tag = "announcements",
    operation_id = "dismissAnnouncement",
    params(("id" = String, Path, format = Uuid, description = "The announcement")),
    responses((status = 204, description = "It is closed, now or before"),
              (status = 409, description = "It cannot be closed", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/announcements/{id}/dismiss")]
pub(crate) async fn dismiss_announcement(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
) -> ApiResult<HttpResponse> {
    let facts = state.market.audience_facts(member.user).await?;
    let (_, facts) = facts.ok_or_else(ApiError::unauthenticated)?;
    state.market.notify.dismiss_announcement(member.user, &facts, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
