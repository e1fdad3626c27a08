//! Promotional credit, given by staff.

use actix_web::{HttpResponse, post, web};
use kernel::{InvalidInput, UserId};
use marketplace::{BonusView, NewBonus, Once};
use serde::Deserialize;
use store::StoredAnswer;
use utoipa::openapi::schema::ObjectBuilder;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{
    Administration, PathId, RequiredKey, RequiredKeyHeader, SteppedUp, Valid, replayed,
};
use crate::http::texts;
use crate::state::AppState;

/// What to give.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BonusBody {
    /// Paise.
    #[schema(example = 5_000, minimum = 1, maximum = 1_000_000)]
    amount: i64,
    /// Why; the user sees it.
    #[schema(schema_with = why)]
    reason: String,
}

fn why() -> ObjectBuilder {
    texts::line(3, 200)
        .description(Some("Why; the user sees it"))
        .examples(["Sorry for the outage on Sunday"])
}

impl BonusBody {
    fn parse(&self) -> Result<NewBonus, InvalidInput> {
        NewBonus::parse(self.amount, &self.reason)
    }
}

/// Gives somebody promotional credit.
///
/// It is good for boosts, spent before anything else in the wallet, and never paid out.
#[utoipa::path(
    tag = "wallet",
    operation_id = "grantBonus",
    params(("id" = String, Path, format = Uuid, description = "The user"), RequiredKeyHeader),
    request_body = BonusBody,
    responses((status = 201, description = "What was given", body = BonusView),
              (status = 409, description = "The first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")), ("x-step-up" = json!(true)))
)]
#[post("/api/wallets/{id}/bonus")]
pub(crate) async fn grant_bonus(
    admin: SteppedUp<Administration>,
    state: web::Data<AppState>,
    id: PathId<UserId>,
    key: RequiredKey,
    body: Valid<BonusBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&admin.user, &format!("POST /api/wallets/{}/bonus", id.0), &body.1);
    let bonus = body.0.parse()?;
    let granted = state.market.grant_bonus(&admin.caller, id.0, &bonus, &key, kept_answer).await?;
    Ok(match granted {
        Once::Now(granted) => HttpResponse::Created().json(granted),
        Once::Before(answer) => replayed(&answer),
    })
}

fn kept_answer(granted: &BonusView) -> StoredAnswer {
    StoredAnswer { status: 201, body: serde_json::to_string(granted).unwrap_or_default() }
}
