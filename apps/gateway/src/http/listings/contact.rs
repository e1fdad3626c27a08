//! The seller's number, for a buyer who asks.

use actix_web::{post, web};
use kernel::{ListingId, UserId};
use serde::Serialize;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, PathId};
use crate::state::AppState;

/// How to reach a seller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactView {
    /// Whose number it is.
    seller_id: UserId,
    /// The number, in E.164.
    #[schema(example = "+919876543210")]
    phone: String,
}

/// Tells the number of an ACTIVE listing's seller.
///
/// It is in no other answer. Asking is on record; a day has room for as many sellers as the setting
/// `contact_daily_cap` says, after which the answer is `429` until midnight in India. Asking for the same listing again
/// on the same day is free.
#[utoipa::path(
    tag = "listings",
    operation_id = "contactSeller",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The number", body = ContactView),
              (status = 409, description = "It is your own listing, or the seller has no number", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/listings/{id}/contact")]
pub(crate) async fn contact_seller(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<ContactView>> {
    let contact = state.market.contact_seller(member.user, id.0).await?;
    Ok(web::Json(ContactView { seller_id: contact.seller, phone: contact.phone.as_str().to_owned() }))
}
