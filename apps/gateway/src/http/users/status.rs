//! Suspending, banning and readmitting people.

use actix_web::{post, put, web};
use chrono::{DateTime, TimeDelta, Utc};
use identity::{Reason, StaffUserView, StatusChange, UserStatus};
use kernel::{FieldErrors, InvalidInput, ParseError, UserId};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, Moderator, PathId, Valid, not_null};
use crate::http::texts;
use crate::state::AppState;

/// A status that staff can set.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum WantedStatus {
    /// They may use the marketplace again.
    Active,
    /// They may not until `suspendedUntil`.
    Suspended,
    /// They may not any more.
    Banned,
}

/// What is to become of somebody's account.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StatusBody {
    /// The new status.
    status: WantedStatus,
    /// When a suspension ends, within ten years; goes with SUSPENDED alone.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false, example = "2030-01-08T00:00:00Z")]
    suspended_until: Option<DateTime<Utc>>,
    /// Why, for the record.
    #[schema(schema_with = texts::reason)]
    reason: String,
}

impl StatusBody {
    fn parse(&self) -> Result<(StatusChange, Reason), InvalidInput> {
        let status = match self.status {
            WantedStatus::Active => UserStatus::Active,
            WantedStatus::Suspended => UserStatus::Suspended,
            WantedStatus::Banned => UserStatus::Banned,
        };
        let mut errors = FieldErrors::default();
        let reason = errors.check("reason", Reason::parse(&self.reason));
        match (StatusChange::parse(status.as_str(), self.suspended_until), reason) {
            (Ok(change), Some(reason)) => Ok((change, reason)),
            (change, _) => {
                let mut wrong = change.err().map(|InvalidInput(wrong)| wrong).unwrap_or_default();
                wrong.extend(errors.into_error().0);
                Err(InvalidInput(wrong))
            }
        }
    }
}

/// A brief suspension.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SuspensionBody {
    /// For how many days.
    #[validate(range(min = 1, max = 7, message = "must be from 1 to 7"))]
    #[schema(example = 3, minimum = 1, maximum = 7)]
    days: i64,
    /// Why, for the record.
    #[schema(schema_with = texts::reason)]
    reason: String,
}

/// Changes somebody's status.
///
/// Blocking ends all their sessions and pauses all their ACTIVE listings at once. Lifting the block resumes no listing:
/// its seller does. Nobody may do it to their own account, nor to somebody of their own rank
/// or above.
#[utoipa::path(
    tag = "users",
    operation_id = "setUserStatus",
    params(("id" = String, Path, format = Uuid, description = "The user")),
    request_body = StatusBody,
    responses((status = 200, description = "The account as it is now", body = StaffUserView),
              (status = 409, description = "The last active super admin must stay", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[put("/api/users/{id}/status")]
pub(crate) async fn set_user_status(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<UserId>,
    body: Valid<StatusBody>,
) -> ApiResult<web::Json<StaffUserView>> {
    let (change, reason) = body.0.parse()?;
    Ok(web::Json(state.market.set_user_status(&admin.caller, id.0, change, &reason).await?))
}

/// Suspends somebody for up to a week.
///
/// What moderators may do without an admin. It ends their sessions and pauses their ACTIVE listings, which the seller
/// may resume afterwards; nothing resumes by itself. Somebody who is blocked already stays so: 403 `not_allowed`.
#[utoipa::path(
    tag = "users",
    operation_id = "suspendUser",
    params(("id" = String, Path, format = Uuid, description = "The user")),
    request_body = SuspensionBody,
    responses((status = 200, description = "When the suspension ends", body = SuspensionView),
              (status = 409, description = "The last active super admin must stay", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("moderator")))
)]
#[post("/api/users/{id}/suspend")]
pub(crate) async fn suspend_user(
    moderator: Moderator,
    state: web::Data<AppState>,
    id: PathId<UserId>,
    body: Valid<SuspensionBody>,
) -> ApiResult<web::Json<SuspensionView>> {
    let reason = Reason::parse(&body.0.reason).map_err(of_reason)?;
    let suspended_until = state.ambient.now() + TimeDelta::days(body.0.days);
    let change = StatusChange::Suspend { until: suspended_until };
    let user_id = state.market.set_user_status(&moderator.caller, id.0, change, &reason).await?.id;
    Ok(web::Json(SuspensionView { user_id, suspended_until }))
}

fn of_reason(error: ParseError) -> InvalidInput {
    InvalidInput(vec![error.of("reason")])
}

/// A suspension, without what only admins see of the account.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SuspensionView {
    /// Who is suspended.
    user_id: UserId,
    /// When the suspension ends.
    suspended_until: DateTime<Utc>,
}
