//! One's own wallet, and sums over its history.

use actix_web::{get, web};
use ledger::{WalletStatsView, WalletView};

use crate::http::error::ApiResult;
use crate::http::extract::Member;
use crate::state::AppState;

/// Shows your wallet.
///
/// Promotional credit is spent first and never paid out; what is held comes back or goes when its refund or payout ends.
#[utoipa::path(
    tag = "wallet",
    operation_id = "wallet",
    responses((status = 200, description = "Your wallet", body = WalletView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/wallet")]
pub(crate) async fn wallet(member: Member, state: web::Data<AppState>) -> ApiResult<web::Json<WalletView>> {
    Ok(web::Json(state.market.ledger.wallet(member.user).await?))
}

/// Shows the sums of your wallet's history, by type: of this month and of all time.
#[utoipa::path(
    tag = "wallet",
    operation_id = "walletStats",
    responses((status = 200, description = "The sums", body = WalletStatsView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/wallet/stats")]
pub(crate) async fn wallet_stats(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<WalletStatsView>> {
    Ok(web::Json(state.market.ledger.stats(member.user).await?))
}
