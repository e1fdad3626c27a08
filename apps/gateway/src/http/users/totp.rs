//! Taking away a lost authenticator.

use actix_web::{HttpResponse, delete, web};
use kernel::UserId;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{PathId, SteppedUp, SuperAdministration};
use crate::state::AppState;

/// Removes somebody's authenticator and recovery codes, so that they can set up another; their sessions end.
#[utoipa::path(
    tag = "users",
    operation_id = "resetUserTotp",
    params(("id" = String, Path, format = Uuid, description = "The user")),
    responses((status = 204, description = "It is gone"),
              (status = 409, description = "There is none", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("super_admin")), ("x-step-up" = json!(true)))
)]
#[delete("/api/users/{id}/totp")]
pub(crate) async fn reset_user_totp(
    admin: SteppedUp<SuperAdministration>,
    state: web::Data<AppState>,
    id: PathId<UserId>,
) -> ApiResult<HttpResponse> {
    state.market.identity.reset_totp(&admin.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
