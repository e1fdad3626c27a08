//! The second factor of staff. These routes take staff who have none yet; whether the caller is staff, identity says.

use actix_web::{post, web};
use identity::{OtpCode, StepUpCode, SteppedUp, TotpConfirmed, TotpEnrolment};
use kernel::{InvalidInput, ParseError};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, Valid};
use crate::state::AppState;

/// A code that the authenticator shows.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TotpBody {
    /// Six digits.
    #[schema(example = "287082", pattern = r"^[0-9]{6}$", min_length = 6, max_length = 6)]
    code: String,
}

/// A code that the authenticator shows, or a recovery code.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StepUpBody {
    /// Six digits, or a recovery code such as `abcd-efgh-jkmn`.
    #[schema(
        example = "287082",
        pattern = r"^([0-9]{6}|[a-hjkmnp-z02-9]{4}-[a-hjkmnp-z02-9]{4}-[a-hjkmnp-z02-9]{4})$",
        min_length = 6,
        max_length = 14
    )]
    code: String,
}

/// Begins to set up the caller's authenticator.
///
/// It counts once a code of it is confirmed; until then this may be done again, which gives another secret.
#[utoipa::path(
    tag = "auth",
    operation_id = "enrolTotp",
    responses((status = 200, description = "The secret for the authenticator", body = TotpEnrolment),
              (status = 409, description = "One is confirmed already", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("staff")))
)]
#[post("/api/auth/totp/enrol")]
pub(crate) async fn enrol_totp(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<TotpEnrolment>> {
    Ok(web::Json(state.market.identity.enrol_totp(&member.caller).await?))
}

/// Confirms the caller's authenticator by a code of it, which steps up too, and gives ten recovery codes.
#[utoipa::path(
    tag = "auth",
    operation_id = "confirmTotp",
    request_body = TotpBody,
    responses((status = 200, description = "The authenticator counts now", body = TotpConfirmed),
              (status = 409, description = "There is none to confirm, or it is confirmed already", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The code is not valid", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("staff")))
)]
#[post("/api/auth/totp/confirm")]
pub(crate) async fn confirm_totp(
    member: Member,
    state: web::Data<AppState>,
    body: Valid<TotpBody>,
) -> ApiResult<web::Json<TotpConfirmed>> {
    let code = OtpCode::parse(&body.0.code).map_err(of_code)?;
    Ok(web::Json(state.market.identity.confirm_totp(&member.caller, &code).await?))
}

/// Lets the session decide what needs a fresh code, for five minutes.
///
/// A code works once; five wrong ones in five minutes lock the caller out for the rest of them.
#[utoipa::path(
    tag = "auth",
    operation_id = "stepUp",
    request_body = StepUpBody,
    responses((status = 200, description = "Stepped up", body = SteppedUp),
              (status = 422, description = "The code is not valid", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("staff")))
)]
#[post("/api/auth/step-up")]
pub(crate) async fn step_up(
    member: Member,
    state: web::Data<AppState>,
    body: Valid<StepUpBody>,
) -> ApiResult<web::Json<SteppedUp>> {
    let code = StepUpCode::parse(&body.0.code).map_err(of_code)?;
    Ok(web::Json(state.market.identity.step_up(&member.caller, &code).await?))
}

fn of_code(error: ParseError) -> InvalidInput {
    InvalidInput(vec![error.of("code")])
}
