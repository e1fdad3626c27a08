//! What Razorpay reports. The signature is over the raw bytes, so they are taken as they came.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, ResponseError, post, web};
use payments::PaymentError;
use serde::Serialize;

use crate::http::error::{ApiError, ApiResult, Problem};
use crate::http::extract::read_within;
use crate::state::AppState;

/// The largest body that is read, in bytes; Razorpay's have a few thousand.
const BODY_LIMIT: usize = 1 << 20;

/// How long a body may take to arrive. Razorpay waits for five seconds in all.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Written down; what it means is found out later.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({"received": true}))]
pub(crate) struct Receipt {
    /// Always true.
    received: bool,
}

/// Takes a webhook of Razorpay's.
///
/// Answered as soon as it is written down; what it tells of is fetched from Razorpay later. Signed by the current or the
/// previous webhook secret; told apart by `X-Razorpay-Event-Id`, so it may come any number of times, in any order.
#[utoipa::path(
    tag = "payments",
    operation_id = "receivePaymentWebhook",
    params(("X-Razorpay-Signature" = String, Header, description = "HMAC-SHA256 of the raw body with the webhook's secret, in hexadecimal digits", example = "2f1f5f5a8f0c2d2a3c9a1f6f0a7a9be4b3a6a1d7b2e0c4f5968778695a4b3c2d"),
           ("X-Razorpay-Event-Id" = Option<String>, Header, description = "The event's id, the same over all retries", example = "evt_NqGAfNcMSK3FiC")),
    request_body(content = Object, description = "The event", example = json!({"entity": "event", "event": "payment.captured", "contains": ["payment"], "payload": {"payment": {"entity": {"id": "pay_29QQoUBi66xm2f"}}}, "created_at": 1_772_431_200})),
    responses((status = 200, description = "Written down, now or before", body = Receipt),
              (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("signed")))
)]
#[post("/api/payments/webhook")]
pub(crate) async fn receive_webhook(
    request: HttpRequest,
    state: web::Data<AppState>,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (signature, event) = (header("x-razorpay-signature"), header("x-razorpay-event-id"));
    // Nobody's body is kept in memory who does not even claim to be Razorpay.
    let raw =
        if signature.is_some() { read_within(body, BODY_LIMIT, BODY_TIMEOUT).await? } else { Bytes::new() };
    state.market.payments.receive_webhook(&raw, signature, event).await.map_err(refused)?;
    Ok(HttpResponse::Ok().json(Receipt { received: true }))
}

/// Whatever is wrong on our side is temporary to the provider: it sends the event again.
fn refused(error: PaymentError) -> ApiError {
    let failure = ApiError::from(error);
    match failure.status_code() {
        status if status.is_server_error() => failure.with_status(StatusCode::SERVICE_UNAVAILABLE),
        _ => failure,
    }
}
