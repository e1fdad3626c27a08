//! One's own listings.

use actix_web::{get, web};
use catalog::{ListingStatus, OwnListing};
use kernel::{InvalidInput, Page, Paging};
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Query};
use crate::state::AppState;

/// Which of one's own listings, and which part of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct OwnParams {
    /// In this state; all but DELETED by default.
    #[param(inline)]
    status: Option<ListingStatus>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Listings per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

/// Lists your own listings in every state but DELETED, the newest first.
#[utoipa::path(
    tag = "listings",
    operation_id = "myListings",
    params(OwnParams),
    responses((status = 200, description = "A page of your listings", body = Page<OwnListing>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/listings/mine")]
pub(crate) async fn my_listings(
    member: Member,
    state: web::Data<AppState>,
    params: Query<OwnParams>,
) -> ApiResult<web::Json<Page<OwnListing>>> {
    let OwnParams { status, page, limit, cursor } = params.0;
    let paging =
        Paging::parse(page, limit, cursor).map_err(|(field, error)| InvalidInput(vec![error.of(field)]))?;
    Ok(web::Json(state.market.catalog.my_listings(member.user, status, &paging).await?))
}
