//! What was given up in the background: the list, and another try.

use actix_web::{HttpResponse, get, post, web};
use marketplace::DeadLetterView;
use serde::Serialize;
use uuid::Uuid;

use super::error::ApiResult;
use super::extract::{Admin, PathId};
use crate::http::Routes;
use crate::state::AppState;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes.service(list_dead_letters).service(replay_dead_letter);
}

/// Everything that was given up and not decided on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeadLetterList {
    /// The latest first.
    data: Vec<DeadLetterView>,
}

/// Lists what was given up in the background, the latest first.
///
/// Events and jobs that failed as often as they may: the latest hundred of each.
#[utoipa::path(
    tag = "operations",
    operation_id = "listDeadLetters",
    responses((status = 200, description = "The dead letters", body = DeadLetterList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/dead-letters")]
pub(crate) async fn list_dead_letters(
    admin: Admin,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<DeadLetterList>> {
    let data = state.market.dead_letters(&admin.caller).await?;
    Ok(web::Json(DeadLetterList { data }))
}

/// Gives a dead letter all its tries again.
///
/// Mend the cause first: it fails again otherwise. What it does is done once, however often it is replayed.
#[utoipa::path(
    tag = "operations",
    operation_id = "replayDeadLetter",
    params(("id" = String, Path, format = Uuid, description = "The event or job")),
    responses((status = 204, description = "It will be tried again at once")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/dead-letters/{id}/replay")]
pub(crate) async fn replay_dead_letter(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<kernel::EventId>,
) -> ApiResult<HttpResponse> {
    state.market.replay_dead_letter(&admin.caller, Uuid::from(id.0)).await?;
    Ok(HttpResponse::NoContent().finish())
}
