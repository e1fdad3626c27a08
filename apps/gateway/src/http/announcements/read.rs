//! Announcements as staff see them.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use kernel::{AnnouncementId, InvalidInput, Page, Paging};
use notify::{AnnouncementStatus, AnnouncementView};
use serde::{Deserialize, Serialize};

use super::body::AudienceBody;
use crate::http::error::ApiResult;
use crate::http::extract::{Admin, PathId, Query, Valid, Versioned, conditional_json};
use crate::state::AppState;

/// Which announcements, and which part of their list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct AnnouncementParams {
    /// Only those that are this far.
    #[param(inline)]
    status: Option<AnnouncementStatus>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Announcements per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// How many people an audience has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AudienceSize {
    /// The people who would be told now.
    #[schema(example = 1_204)]
    reach: u64,
}

/// Lists announcements, newest first.
#[utoipa::path(
    tag = "announcements",
    operation_id = "listAnnouncements",
    params(AnnouncementParams),
    responses((status = 200, description = "A page of announcements", body = Page<AnnouncementView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/announcements")]
pub(crate) async fn list_announcements(
    admin: Admin,
    state: web::Data<AppState>,
    params: Query<AnnouncementParams>,
) -> ApiResult<web::Json<Page<AnnouncementView>>> {
    let AnnouncementParams { status, page, limit, cursor } = params.0;
    let paging =
        Paging::parse(page, limit, cursor).map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
    Ok(web::Json(state.market.notify.announcements(&admin.caller, status, &paging).await?))
}

/// Shows an announcement: what it says, how far it is, and how many people were told.
#[utoipa::path(
    tag = "announcements",
    operation_id = "announcement",
    params(("id" = String, Path, format = Uuid, description = "The announcement")),
    responses((status = 200, description = "The announcement", body = AnnouncementView,
               headers(("ETag" = String, description = "Its version, for `If-Match`"))),
              (status = 304, description = "You have this version already")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/announcements/{id}")]
pub(crate) async fn announcement(
    request: HttpRequest,
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<AnnouncementId>,
) -> ApiResult<HttpResponse> {
    let announcement = state.market.notify.announcement(&admin.caller, id.0).await?;
    Ok(conditional_json(&request, &Versioned { version: announcement.version, body: announcement }))
}

/// Counts the people whom an announcement would reach now. Nobody is told.
#[utoipa::path(
    tag = "announcements",
    operation_id = "countAudience",
    request_body(content = AudienceBody, examples(
        ("everybody" = (summary = "Everybody", value = json!({"audience": {"type": "all"}}))),
        ("city" = (summary = "A city", value = json!({"audience": {"type": "city", "city": "Pune"}}))),
        ("segment" = (summary = "Sellers", value = json!({"audience": {"type": "segment", "segment": "sellers"}}))))),
    responses((status = 200, description = "How many there are", body = AudienceSize)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/announcements/dry-run")]
pub(crate) async fn count_audience(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<AudienceBody>,
) -> ApiResult<web::Json<AudienceSize>> {
    let audience = body.0.parse()?;
    Ok(web::Json(AudienceSize { reach: state.market.audience_size(&admin.caller, &audience).await? }))
}
