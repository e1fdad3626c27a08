//! Appointing and dismissing staff.

use actix_web::{put, web};
use identity::{Reason, StaffUserView};
use kernel::{InvalidInput, ParseError, Role, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{PathId, SteppedUp, SuperAdministration, Valid, not_null};
use crate::http::texts;
use crate::state::AppState;

/// A new role.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RoleBody {
    /// What the person becomes.
    role: Role,
    /// Why, for the record.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(schema_with = texts::reason)]
    reason: Option<String>,
}

/// Gives somebody a role.
///
/// Their sessions end. Nobody may change their own role, and the last active super admin stays one.
#[utoipa::path(
    tag = "users",
    operation_id = "setUserRole",
    params(("id" = String, Path, format = Uuid, description = "The user")),
    request_body = RoleBody,
    responses((status = 200, description = "The account as it is now", body = StaffUserView),
              (status = 409, description = "The last active super admin must stay", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("super_admin")), ("x-step-up" = json!(true)))
)]
#[put("/api/users/{id}/role")]
pub(crate) async fn set_user_role(
    admin: SteppedUp<SuperAdministration>,
    state: web::Data<AppState>,
    id: PathId<UserId>,
    body: Valid<RoleBody>,
) -> ApiResult<web::Json<StaffUserView>> {
    let reason = body.0.reason.as_deref().map(Reason::parse).transpose().map_err(of_reason)?;
    let identity = &state.market.identity;
    Ok(web::Json(identity.set_role(&admin.caller, id.0, body.0.role, reason.as_ref()).await?))
}

fn of_reason(error: ParseError) -> InvalidInput {
    InvalidInput(vec![error.of("reason")])
}
