//! Boosts bought by sellers, from their wallets.

use actix_web::{HttpResponse, get, post, web};
use catalog::{BoostKind, BoostView};
use kernel::{ListingId, Money, Page};
use marketplace::{Boosted, Once};
use serde::Serialize;
use store::StoredAnswer;

use super::body::BoostBody;
use super::read::whole;
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, PathId, RequiredKey, RequiredKeyHeader, Valid, replayed};
use crate::state::AppState;

/// A boost that was bought, and what is left to spend.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BoostedView {
    /// The boost.
    boost: BoostView,
    /// The wallet after it.
    wallet: WalletLeftView,
}

/// What is left in a wallet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WalletLeftView {
    /// From top-ups.
    #[schema(example = json!({"amount": 40_100, "currency": "INR"}))]
    available: Money,
    /// Promotional credit, spent first.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    promo: Money,
    /// From sales, spent last.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    earnings: Money,
    /// Set aside for refunds and payouts.
    #[schema(example = json!({"amount": 0, "currency": "INR"}))]
    held: Money,
}

impl From<&Boosted> for BoostedView {
    fn from(boosted: &Boosted) -> Self {
        let wallet = &boosted.wallet;
        Self {
            boost: boosted.boost.clone(),
            wallet: WalletLeftView {
                available: wallet.available,
                promo: wallet.promo,
                earnings: wallet.earnings,
                held: wallet.held,
            },
        }
    }
}

/// Boosts an ACTIVE listing of yours.
///
/// The price is taken from the wallet: promotional credit first, then top-ups, then earnings. A second boost of the same
/// kind begins where the first ends. A plan of the kind FEATURE features the listing.
#[utoipa::path(
    tag = "boosts",
    operation_id = "boostListing",
    params(("id" = String, Path, format = Uuid, description = "The listing"), RequiredKeyHeader),
    request_body = BoostBody,
    responses((status = 201, description = "The boost, and the wallet after it", body = BoostedView),
              (status = 409, description = "The wallet does not reach, the listing is not ACTIVE, or the first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/boost")]
pub(crate) async fn boost_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
    key: RequiredKey,
    body: Valid<BoostBody>,
) -> ApiResult<HttpResponse> {
    buy(&member, &state, id.0, key, &body, None).await
}

/// Features an ACTIVE listing of yours.
///
/// The same as a boost, for plans of the kind FEATURE alone.
#[utoipa::path(
    tag = "boosts",
    operation_id = "featureListing",
    params(("id" = String, Path, format = Uuid, description = "The listing"), RequiredKeyHeader),
    request_body = BoostBody,
    responses((status = 201, description = "The boost, and the wallet after it", body = BoostedView),
              (status = 409, description = "The wallet does not reach, the listing is not ACTIVE, or the first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/listings/{id}/feature")]
pub(crate) async fn feature_listing(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
    key: RequiredKey,
    body: Valid<BoostBody>,
) -> ApiResult<HttpResponse> {
    buy(&member, &state, id.0, key, &body, Some(BoostKind::Feature)).await
}

async fn buy(
    member: &Member,
    state: &AppState,
    listing: ListingId,
    key: RequiredKey,
    body: &Valid<BoostBody>,
    kind: Option<BoostKind>,
) -> ApiResult<HttpResponse> {
    let operation = if kind.is_some() { "feature" } else { "boost" };
    let key = key.of(&member.user, &format!("POST /api/listings/{listing}/{operation}"), &body.1);
    let (actor, plan) = (&member.caller.actor, body.0.plan_id);
    Ok(match state.market.boost_listing(actor, listing, plan, kind, &key, kept_answer).await? {
        Once::Now(boosted) => HttpResponse::Created().json(BoostedView::from(&boosted)),
        Once::Before(answer) => replayed(&answer),
    })
}

/// What is kept under the key: the body as it was sent.
fn kept_answer(boosted: &Boosted) -> StoredAnswer {
    let body = serde_json::to_string(&BoostedView::from(boosted)).unwrap_or_default();
    StoredAnswer { status: 201, body }
}

/// Lists the boosts of a listing of yours, those that begin last first.
///
/// Staff see those of every listing. It is one page of the latest hundred.
#[utoipa::path(
    tag = "boosts",
    operation_id = "listingBoosts",
    params(("id" = String, Path, format = Uuid, description = "The listing")),
    responses((status = 200, description = "The boosts", body = Page<BoostView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[get("/api/listings/{id}/boosts")]
pub(crate) async fn listing_boosts(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
) -> ApiResult<web::Json<Page<BoostView>>> {
    let boosts = state.market.catalog.boosts_of(&member.caller.actor, id.0).await?;
    Ok(web::Json(whole(boosts)))
}
