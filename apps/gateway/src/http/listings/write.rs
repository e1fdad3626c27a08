//! Listings made, changed and deleted by their sellers.

use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder, delete, post, put, web};
use catalog::ListingView;
use kernel::ListingId;
use marketplace::Once;
use serde::Deserialize;
use store::StoredAnswer;

use super::body::ListingBody;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{IdempotencyHeader, Idempotent, IfMatch, Member, PathId, Query, Valid, replayed};
use crate::state::AppState;

/// How a new listing begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct CreationParams {
    /// Whether it stays a DRAFT, which may lack attributes that its category requires, until it is submitted.
    #[serde(default)]
    #[param(default = false)]
    draft: bool,
}

/// Creates a listing and hands it in for review.
///
/// It is PENDING until a moderator approves it, or ACTIVE at once where its category needs no review.
#[utoipa::path(
    tag = "listings",
    operation_id = "createListing",
    params(CreationParams, IdempotencyHeader),
    request_body = ListingBody,
    responses((status = 201, description = "The listing", body = ListingView,
               headers(("Location" = String, description = "Where it is"), ("ETag" = String, description = "Its version"))),
              (status = 409, description = "The first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/listings")]
pub(crate) async fn create_listing(
    member: Member,
    state: web::Data<AppState>,
    params: Query<CreationParams>,
    key: Idempotent,
    body: Valid<ListingBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&member.user, &format!("POST /api/listings draft={}", params.0.draft), &body.1);
    let input = body.0.parse()?;
    let (actor, submit) = (&member.caller.actor, !params.0.draft);
    let posted = state.market.post_listing(actor, &input, submit, key.as_ref(), kept_answer).await?;
    Ok(match posted {
        Once::Now(listing) => created(listing.id, listing.version).json(listing),
        Once::Before(answer) => replayed(&answer),
    })
}

fn created(id: ListingId, version: i64) -> HttpResponseBuilder {
    let mut response = HttpResponse::Created();
    response
        .insert_header((LOCATION, format!("/api/listings/{id}")))
        .insert_header((ETAG, format!("\"{version}\"")));
    response
}

/// What is kept under the key: the body as it was sent.
fn kept_answer(listing: &ListingView) -> StoredAnswer {
    StoredAnswer { status: 201, body: serde_json::to_string(listing).unwrap_or_default() }
}

/// Changes a listing of yours: all of it, at once.
///
/// A change of title, description, category, attributes or photos sends an ACTIVE, PAUSED or EXPIRED listing to review
/// again, unless its category needs none. Send the listing's `ETag` as `If-Match` to change only what you have seen.
#[utoipa::path(
    tag = "listings",
    operation_id = "updateListing",
    params(("id" = String, Path, format = Uuid, description = "The listing"),
           ("If-Match" = Option<String>, Header, description = "The listing's `ETag` as you have seen it", example = "\"1\"")),
    request_body = ListingBody,
    responses((status = 200, description = "The listing", body = ListingView,
               headers(("ETag" = String, description = "Its version"))),
              (status = 409, description = "It is SOLD", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[put("/api/listings/{id}")]
pub(crate) async fn update_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
    seen: IfMatch,
    body: Valid<ListingBody>,
) -> ApiResult<HttpResponse> {
    let input = body.0.parse()?;
    let settings = state.market.listing_settings().await;
    let actor = &member.caller.actor;
    let listing = state.market.catalog.edit_listing(actor, id.0, seen.0, &input, &settings).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, format!("\"{}\"", listing.version))).json(listing))
}

/// Deletes a listing of yours.
#[utoipa::path(
    tag = "listings",
    operation_id = "deleteListing",
    params(("id" = String, Path, format = Uuid, description = "The listing"),
           ("If-Match" = Option<String>, Header, description = "The listing's `ETag` as you have seen it", example = "\"1\"")),
    responses((status = 204, description = "It is gone"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[delete("/api/listings/{id}")]
pub(crate) async fn delete_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
    seen: IfMatch,
) -> ApiResult<HttpResponse> {
    state.market.catalog.delete_listing(&member.caller.actor, id.0, seen.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
