//! What sellers do with their listings besides writing them.

use actix_web::{post, web};
use catalog::ListingView;
use kernel::ListingId;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, PathId};
use crate::state::AppState;

/// Hands in a draft or a rejected listing of yours.
///
/// It is PENDING until a moderator approves it, or ACTIVE at once where its category needs no review.
#[utoipa::path(
    tag = "listings",
    operation_id = "submitListing",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView),
              (status = 409, description = "It is neither DRAFT nor REJECTED", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/submit")]
pub(crate) async fn submit_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ListingView>> {
    let settings = state.market.listing_settings().await;
    Ok(web::Json(state.market.catalog.submit_listing(&member.caller.actor, id.0, &settings).await?))
}

/// Takes an ACTIVE listing of yours off for a while.
///
/// Its time goes on running out.
#[utoipa::path(
    tag = "listings",
    operation_id = "pauseListing",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView),
              (status = 409, description = "It is not ACTIVE", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/pause")]
pub(crate) async fn pause_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ListingView>> {
    Ok(web::Json(state.market.catalog.pause_listing(&member.caller.actor, id.0).await?))
}

/// Puts a PAUSED listing of yours back.
#[utoipa::path(
    tag = "listings",
    operation_id = "resumeListing",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView),
              (status = 409, description = "It is not PAUSED, or its time has run out", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/resume")]
pub(crate) async fn resume_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ListingView>> {
    Ok(web::Json(state.market.catalog.resume_listing(&member.caller.actor, id.0).await?))
}

/// Lets a listing of yours run for another term.
///
/// Possible once it is EXPIRED, and from three days before.
#[utoipa::path(
    tag = "listings",
    operation_id = "renewListing",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView),
              (status = 409, description = "It is too early, or it is in another state", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/renew")]
pub(crate) async fn renew_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ListingView>> {
    let settings = state.market.listing_settings().await;
    Ok(web::Json(state.market.catalog.renew_listing(&member.caller.actor, id.0, &settings).await?))
}

/// Says that a listing of yours is sold.
#[utoipa::path(
    tag = "listings",
    operation_id = "markListingSold",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView),
              (status = 409, description = "It is neither ACTIVE, PAUSED nor EXPIRED", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/sold")]
pub(crate) async fn mark_listing_sold(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ListingView>> {
    Ok(web::Json(state.market.catalog.mark_listing_sold(&member.caller.actor, id.0).await?))
}
