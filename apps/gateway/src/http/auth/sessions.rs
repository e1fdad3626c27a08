//! One's own sessions.

use actix_web::{HttpResponse, delete, get, web};
use identity::SessionView;
use kernel::{Page, Paging, SessionId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, PathId};
use crate::state::AppState;

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsEnded {
    /// The number.
    #[schema(example = 2)]
    ended: u64,
}

/// Lists the caller's sessions that are alive, newest first; at most a hundred, on one page.
#[utoipa::path(
    tag = "auth",
    operation_id = "listSessions",
    responses((status = 200, description = "The sessions", body = Page<SessionView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/auth/sessions")]
pub(crate) async fn list_sessions(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<Page<SessionView>>> {
    let sessions = state.market.identity.list_sessions(member.user, member.session).await?;
    let total = u64::try_from(sessions.len()).unwrap_or(u64::MAX);
    Ok(web::Json(Page::numbered(sessions, 1, Paging::MAX_LIMIT, total)))
}

/// Ends all of the caller's sessions but the one that the request comes through.
#[utoipa::path(
    tag = "auth",
    operation_id = "revokeOtherSessions",
    responses((status = 200, description = "They have ended", body = SessionsEnded)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[delete("/api/auth/sessions")]
pub(crate) async fn revoke_other_sessions(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<SessionsEnded>> {
    let ended = state.market.identity.revoke_other_sessions(member.user, member.session).await?;
    Ok(web::Json(SessionsEnded { ended }))
}

/// Ends one of the caller's sessions.
#[utoipa::path(
    tag = "auth",
    operation_id = "revokeSession",
    params(("id" = String, Path, format = Uuid, description = "The session")),
    responses((status = 204, description = "The session has ended")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[delete("/api/auth/sessions/{id}")]
pub(crate) async fn revoke_session(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<SessionId>,
) -> ApiResult<HttpResponse> {
    state.market.identity.revoke_session(member.user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
