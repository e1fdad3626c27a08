//! One listing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use catalog::ListingView;
use kernel::ListingId;

use crate::http::error::ApiResult;
use crate::http::extract::{ClientOrigin, PathId, Versioned, Viewer, conditional_json, takes_body};
use crate::state::AppState;

/// Shows a listing.
///
/// Everybody sees an ACTIVE one; its seller sees it in every state until it is deleted, and staff always. A look by
/// others than the seller and staff is counted, once an hour for each person or address: not one answered 304, nor a
/// HEAD. The counts of views and contacts do not change the `ETag`, nor do boosts.
#[utoipa::path(
    tag = "listings",
    operation_id = "getListing",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The listing", body = ListingView,
               headers(("ETag" = String, description = "Its version, for `If-Match`"))),
              (status = 304, description = "You have this version already")),
    security((), ("bearer" = [])),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/listings/{id}")]
pub(crate) async fn get_listing(
    request: HttpRequest,
    viewer: Viewer,
    client: ClientOrigin,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<HttpResponse> {
    let listing = state.market.catalog.get_listing(viewer.0.as_ref(), id.0).await?;
    let answer = conditional_json(&request, &Versioned { version: listing.version, body: &listing });
    if answer.status() == StatusCode::OK && takes_body(&request) {
        state.market.catalog.record_view(viewer.0.as_ref(), client.address(), &listing);
    }
    Ok(answer)
}
