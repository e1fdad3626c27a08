//! Logging out.

use actix_web::{HttpResponse, post, web};

use crate::http::error::ApiResult;
use crate::http::extract::Member;
use crate::state::AppState;

/// Ends the session that the request comes through, its access token included.
#[utoipa::path(
    tag = "auth",
    operation_id = "logout",
    responses((status = 204, description = "The session has ended")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/auth/logout")]
pub(crate) async fn logout(member: Member, state: web::Data<AppState>) -> ApiResult<HttpResponse> {
    state.market.identity.logout(member.user, member.session).await?;
    Ok(HttpResponse::NoContent().finish())
}
