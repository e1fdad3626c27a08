//! Fresh tokens for a session.

use actix_web::{post, web};
use identity::RefreshedTokens;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::Valid;
use crate::state::AppState;

/// The session's newest refresh token.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RefreshBody {
    /// What logging in or the last refresh gave.
    #[schema(
        example = "AZMA8HxBfQubfl0vHAqeEQAAAAAAAAABq0vYk9yQ3v2oQ0o9k1Yw7d1cX2b3c4d5e6f7g8h9i0j",
        max_length = 200
    )]
    refresh_token: String,
}

/// Exchanges a refresh token for fresh tokens.
///
/// Each refresh token is used once. Repeating the request within ten seconds, after an answer that was lost, gives
/// the same new refresh token. A token that was used before that ends its session: somebody has a copy.
#[utoipa::path(
    tag = "auth",
    operation_id = "refreshTokens",
    request_body = RefreshBody,
    responses((status = 200, description = "Fresh tokens", body = RefreshedTokens),
              (status = 401, description = "The token is not valid, or was used before", body = Problem, content_type = "application/problem+json"),
              (status = 403, description = "The account is blocked", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("public")))
)]
#[post("/api/auth/refresh")]
pub(crate) async fn refresh(
    state: web::Data<AppState>,
    body: Valid<RefreshBody>,
) -> ApiResult<web::Json<RefreshedTokens>> {
    Ok(web::Json(state.market.identity.refresh(&body.0.refresh_token).await?))
}
