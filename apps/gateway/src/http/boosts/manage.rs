//! Boost plans made, changed and withdrawn by administrators.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpResponse, delete, post, put, web};
use catalog::BoostPlanView;
use kernel::BoostPlanId;

use super::body::BoostPlanBody;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Valid};
use crate::state::AppState;

/// Creates a boost plan.
#[utoipa::path(
    tag = "boosts",
    operation_id = "createBoostPlan",
    request_body = BoostPlanBody,
    responses((status = 201, description = "The plan", body = BoostPlanView,
               headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
              (status = 409, description = "Another plan has the slug", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/boost-plans")]
pub(crate) async fn create_boost_plan(
    admin: Admin,
    state: web::Data<AppState>,
    body: Valid<BoostPlanBody>,
) -> ApiResult<HttpResponse> {
    let input = body.0.parse()?;
    let plan = state.market.catalog.create_boost_plan(&admin.caller, &input).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/boost-plans/{}", plan.id)))
        .insert_header((ETAG, format!("\"{}\"", plan.version)))
        .json(plan))
}

/// Changes a boost plan: all of it, at once.
///
/// What was bought stays as it was bought. Send the plan's `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "boosts",
    operation_id = "updateBoostPlan",
    params(("id" = String, Path, format = Uuid, description = "The plan"),
           ("If-Match" = Option<String>, Header, description = "The plan's `ETag` as you have seen it", example = "\"1\"")),
    request_body = BoostPlanBody,
    responses((status = 200, description = "The plan", body = BoostPlanView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "Another plan has the slug", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/boost-plans/{id}")]
pub(crate) async fn update_boost_plan(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<BoostPlanId>,
    seen: IfMatch,
    body: Valid<BoostPlanBody>,
) -> ApiResult<HttpResponse> {
    let input = body.0.parse()?;
    let plan = state.market.catalog.update_boost_plan(&admin.caller, id.0, seen.0, &input).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{}\"", plan.version))).json(plan))
}

/// Withdraws a boost plan: it can be bought no more.
///
/// What was bought goes on. Changing the plan to `active` offers it again.
#[utoipa::path(
    tag = "boosts",
    operation_id = "withdrawBoostPlan",
    params(("id" = String, Path, format = Uuid, description = "The plan"),
           ("If-Match" = Option<String>, Header, description = "The plan's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 204, description = "It is withdrawn"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[delete("/api/boost-plans/{id}")]
pub(crate) async fn withdraw_boost_plan(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<BoostPlanId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    state.market.catalog.withdraw_boost_plan(&admin.caller, id.0, seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
