//! Orders for topping a wallet up.

use actix_web::{HttpResponse, post, web};
use kernel::{Currency, Money, PaymentOrderId};
use marketplace::Once;
use payments::Order;
use serde::{Deserialize, Serialize};
use store::StoredAnswer;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, RequiredKey, RequiredKeyHeader, Valid, replayed};
use crate::state::AppState;

/// By how much to top the wallet up.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OrderBody {
    /// Paise: 50000 is ₹500. The settings `min_topup_amount` and `max_topup_amount` bound it.
    #[validate(range(min = 100, message = "must be at least 100 paise"))]
    #[schema(example = 50_000, minimum = 100, maximum = 50_000_000)]
    amount: i64,
}

/// What a client opens Razorpay's checkout with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderAnswer {
    /// The order's id here.
    order_id: PaymentOrderId,
    /// Its id at Razorpay: the checkout's `order_id`.
    #[schema(example = "order_NqGAfNcMSK3FiC")]
    razorpay_order_id: String,
    /// Paise.
    #[schema(example = 50_000)]
    amount: i64,
    /// ISO 4217 code.
    #[schema(example = "INR")]
    currency: Currency,
    /// The checkout's `key`.
    #[schema(example = "rzp_test_SandboxKey0001")]
    key_id: String,
    /// What Razorpay knows the order by, beside its id.
    #[schema(example = "019300f0-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    receipt: String,
}

impl OrderAnswer {
    fn of(order: &Order, key_id: &str) -> Self {
        Self {
            order_id: order.id,
            razorpay_order_id: order.provider_order_id.clone().unwrap_or_default(),
            amount: order.amount.amount(),
            currency: order.amount.currency(),
            key_id: key_id.to_owned(),
            receipt: order.receipt.clone(),
        }
    }
}

/// Creates an order to top your wallet up.
///
/// Open Razorpay's checkout with it; give what it returns to `POST /api/payments/verify`. The wallet is credited also when
/// the checkout never comes back: Razorpay's webhook, or a look at the order, tells of the payment.
#[utoipa::path(
    tag = "payments",
    operation_id = "createPaymentOrder",
    params(RequiredKeyHeader),
    request_body = OrderBody,
    responses((status = 201, description = "The order, to open the checkout with", body = OrderAnswer),
              (status = 409, description = "The first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request, or Razorpay refuses the order", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/payments/order")]
pub(crate) async fn create_order(
    member: Member,
    state: web::Data<AppState>,
    key: RequiredKey,
    body: Valid<OrderBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&member.user, "POST /api/payments/order", &body.1);
    let key_id = state.market.payments.key_id();
    let answer = |order: &Order| StoredAnswer {
        status: 201,
        body: serde_json::to_string(&OrderAnswer::of(order, key_id)).unwrap_or_default(),
    };
    let made = state.market.top_up(member.user, Money::inr(body.0.amount), &key, answer).await?;
    Ok(match made {
        Once::Now(order) => HttpResponse::Created().json(OrderAnswer::of(&order, key_id)),
        Once::Before(answer) => replayed(&answer),
    })
}
