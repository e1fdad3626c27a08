//! The public keys of access tokens, for whoever verifies them without asking us.

use std::future::ready;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get, web};
use identity::JwksView;

use crate::state::AppState;

/// The keys that sign access tokens, as a JWK set (RFC 7517, RFC 8037).
#[utoipa::path(
    tag = "auth",
    operation_id = "jwks",
    responses((status = 200, description = "The keys", body = JwksView)),
    extensions(("x-authority" = json!("public")))
)]
#[get("/.well-known/jwks.json")]
pub(crate) async fn jwks(state: web::Data<AppState>) -> HttpResponse {
    let keys = ready(state.market.identity.jwks()).await;
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(keys)
}
