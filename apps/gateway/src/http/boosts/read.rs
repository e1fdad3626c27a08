//! Boost plans, read.

use actix_web::{HttpRequest, HttpResponse, get, web};
use catalog::BoostPlanView;
use kernel::{BoostPlanId, Page};

use crate::http::error::ApiResult;
use crate::http::extract::{PathId, Versioned, Viewer, conditional_json};
use crate::state::AppState;

/// A list that is one page, because there are never many.
pub(super) fn whole<T>(items: Vec<T>) -> Page<T> {
    let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
    Page::numbered(items, 1, total.max(1), total.into())
}

/// Lists the boost plans that can be bought, in their order.
///
/// Staff see those that were withdrawn too. It is one page: there are never many.
#[utoipa::path(
    tag = "boosts",
    operation_id = "listBoostPlans",
    responses((status = 200, description = "The plans", body = Page<BoostPlanView>)),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/boost-plans")]
pub(crate) async fn list_boost_plans(
    viewer: Viewer,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<Page<BoostPlanView>>> {
    let plans = state.market.catalog.list_boost_plans(viewer.0.as_ref()).await?;
    Ok(web::Json(whole(plans)))
}

/// Shows a boost plan.
#[utoipa::path(
    tag = "boosts",
    operation_id = "getBoostPlan",
    params(("id" = String, Path, format = Uuid, description = "The plan")),
    responses((status = 200, description = "The plan", body = BoostPlanView,
               headers(("ETag" = String, description = "Its version, for `If-Match`"))),
              (status = 304, description = "You have this version already")),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/boost-plans/{id}")]
pub(crate) async fn get_boost_plan(
    request: HttpRequest,
    viewer: Viewer,
    state: web::Data<AppState>,
    id: PathId<BoostPlanId>,
) -> ApiResult<HttpResponse> {
    let plan = state.market.catalog.get_boost_plan(viewer.0.as_ref(), id.0).await?;
    Ok(conditional_json(&request, &Versioned { version: plan.version, body: plan }))
}
