//! What the checkout gave back.

use actix_web::{HttpResponse, post, web};
use ledger::WalletView;
use marketplace::{CheckoutProof, Once};
use serde::Deserialize;
use store::StoredAnswer;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{IdempotencyHeader, Idempotent, Member, Valid, replayed};
use crate::state::AppState;

/// What Razorpay's checkout returned, under its own names.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyBody {
    /// The order that was paid.
    #[validate(length(min = 1, max = 64))]
    #[schema(example = "order_NqGAfNcMSK3FiC", min_length = 1, max_length = 64)]
    razorpay_order_id: String,
    /// The payment.
    #[validate(length(min = 1, max = 64))]
    #[schema(example = "pay_29QQoUBi66xm2f", min_length = 1, max_length = 64)]
    razorpay_payment_id: String,
    /// Razorpay's signature over both: 64 hexadecimal digits.
    #[validate(length(min = 1, max = 128))]
    #[schema(
        example = "9ef4dffbfd84f1318f6739a3ce19f9d85851857ae648f114332d8401e0949a3d",
        min_length = 1,
        max_length = 128
    )]
    razorpay_signature: String,
}

/// Credits your wallet with a payment.
///
/// Safe to repeat, with or without an `Idempotency-Key`: a payment credits once, whoever tells of it.
#[utoipa::path(
    tag = "payments",
    operation_id = "verifyPayment",
    params(IdempotencyHeader),
    request_body = VerifyBody,
    responses((status = 200, description = "Your wallet, credited", body = WalletView),
              (status = 404, description = "You have no such order", body = Problem, content_type = "application/problem+json"),
              (status = 409, description = "The payment is not captured yet, or was returned; or the first request under the key is still being answered", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The key was used for another request", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[post("/api/payments/verify")]
pub(crate) async fn verify_payment(
    member: Member,
    state: web::Data<AppState>,
    key: Idempotent,
    body: Valid<VerifyBody>,
) -> ApiResult<HttpResponse> {
    let key = key.of(&member.user, "POST /api/payments/verify", &body.1);
    let VerifyBody { razorpay_order_id: order, razorpay_payment_id: payment, razorpay_signature: signature } =
        body.0;
    let proof = CheckoutProof { order, payment, signature };
    let verified = state.market.verify_payment(member.user, &proof, key.as_ref(), kept_answer).await?;
    Ok(match verified {
        Once::Now(wallet) => HttpResponse::Ok().json(wallet),
        Once::Before(answer) => replayed(&answer),
    })
}

fn kept_answer(wallet: &WalletView) -> StoredAnswer {
    StoredAnswer { status: 200, body: serde_json::to_string(wallet).unwrap_or_default() }
}
