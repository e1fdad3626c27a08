//! Payments sent back to where they came from.

use actix_web::{HttpResponse, post, web};
use kernel::{FieldErrors, InvalidInput, Money, PaymentId, bounded_text};
use marketplace::Once;
use payments::{NewRefund, Refund, RefundSpeed, StaffRefundView};
use serde::Deserialize;
use store::StoredAnswer;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Finances, RequiredKey, RequiredKeyHeader, SteppedUp, Valid, not_null, replayed};
use crate::state::AppState;

/// What to send back.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RefundBody {
    /// Of which payment.
    payment_id: PaymentId,
    /// Paise; all that is left of the payment when it is left out.
    #[serde(default, deserialize_with = "not_null")]
    #[validate(range(min = 100, message = "must be at least 100 paise"))]
    #[schema(value_type = i64, required = false, example = 20_000, minimum = 100)]
    amount: Option<i64>,
    /// Why.
    #[schema(example = "paid twice by mistake", min_length = 3, max_length = 200)]
    reason: String,
    /// How fast; NORMAL when it is left out.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = RefundSpeed, required = false, example = "NORMAL")]
    speed: Option<RefundSpeed>,
}

impl RefundBody {
    fn parse(self) -> Result<NewRefund, InvalidInput> {
        let mut errors = FieldErrors::default();
        let reason = errors.check("reason", bounded_text(&self.reason, 3, 200, false));
        let speed = self.speed.unwrap_or(RefundSpeed::Normal);
        let amount = self.amount.map(Money::inr);
        match reason {
            Some(reason) => Ok(NewRefund { payment: self.payment_id, amount, speed, reason }),
            None => Err(errors.into_error()),
        }
    }
}

/// Sends a payment back to where it came from, in part or wholly.
///
/// The user's wallet must still hold it. A refund that the provider has not confirmed stays under way until it does.
#[utoipa::path(
    tag = "payments",
    operation_id = "refundPayment",
    params(RequiredKeyHeader),
    request_body = RefundBody,
    responses((status = 201, description = "The refund; see its status", body = StaffRefundView),
              (status = 404, description = "There is no such payment", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "It was credited to nobody, less of it is left, or the user has spent it; or the first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("finance")), ("x-step-up" = json!(true)))
)]
#[post("/api/payments/refund")]
pub(crate) async fn refund_payment(
    finance: SteppedUp<Finances>,
    state: web::Data<AppState>,
    key: RequiredKey,
    body: Valid<RefundBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&finance.user, "POST /api/payments/refund", &body.1);
    let new = body.0.parse()?;
    let refunded = state.market.refund_payment(&finance.caller, &new, &key, kept_answer).await?;
    Ok(match refunded {
        Once::Now(refund) => HttpResponse::Created().json(refund.staff_view()),
        Once::Before(answer) => replayed(&answer),
    })
}

fn kept_answer(refund: &Refund) -> StoredAnswer {
    StoredAnswer { status: 201, body: serde_json::to_string(&refund.staff_view()).unwrap_or_default() }
}
