//! What was decided on a listing.

use actix_web::{get, web};
use kernel::ListingId;
use moderation::ReviewView;
use serde::Serialize;

use crate::http::error::ApiResult;
use crate::http::extract::{PathId, Staff};
use crate::state::AppState;

/// All decisions on one listing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReviewList {
    /// The latest first.
    data: Vec<ReviewView>,
}

/// Lists the decisions on a listing, the latest first.
#[utoipa::path(
    tag = "moderation",
    operation_id = "listReviews",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The decisions", body = ReviewList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("staff")))
)]
#[get("/api/listings/{id}/reviews")]
pub(crate) async fn list_reviews(
    staff: Staff,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ReviewList>> {
    let data = state.market.listing_reviews(&staff.caller.actor, id.0).await?;
    Ok(web::Json(ReviewList { data }))
}
