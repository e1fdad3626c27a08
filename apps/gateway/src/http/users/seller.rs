//! What buyers learn of a seller.

use actix_web::{get, web};
use identity::SellerView;
use kernel::UserId;

use crate::http::error::ApiResult;
use crate::http::extract::PathId;
use crate::state::AppState;

/// Shows a seller's card: name, picture and since when, but no way to reach them.
#[utoipa::path(
    tag = "users",
    operation_id = "seller",
    params(("id" = String, Path, format = Uuid, description = "The seller, as a listing names them")),
    responses((status = 200, description = "The card", body = SellerView)),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/sellers/{id}")]
pub(crate) async fn seller(
    state: web::Data<AppState>,
    id: PathId<UserId>,
) -> ApiResult<web::Json<SellerView>> {
    Ok(web::Json(state.market.identity.seller(id.0).await?))
}
