//! Paying, answering for the banks, and the dashboard.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{parse, problem};
use crate::problem::Problem;
use crate::razorpay::books::RefundEnd;
use crate::razorpay::desk::{OutsidePayment, Pay, failure};
use crate::stage::Stage;

pub(super) async fn pay(
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let pay: Pay = parse(&body)?;
    let checkout = stage.razorpay.pay(&path, &pay).map_err(problem)?;
    Ok(HttpResponse::Ok().json(checkout.view(failure(pay.outcome))))
}

pub(super) async fn pay_outside(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let payment: OutsidePayment = parse(&body)?;
    Ok(HttpResponse::Ok().json(stage.razorpay.pay_outside(&payment).map_err(problem)?))
}

/// What a settlement can be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    webhooks: Option<bool>,
}

pub(super) async fn settle(
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let Settle { webhooks } = parse(&body)?;
    let payment = stage.razorpay.settle(&path, webhooks.unwrap_or(true)).map_err(problem)?;
    Ok(HttpResponse::Ok().json(payment))
}

/// What is refunded from the dashboard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DashboardRefund {
    /// In paise; all that is left if not told.
    amount: Option<i64>,
}

pub(super) async fn refund(
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let DashboardRefund { amount } = parse(&body)?;
    let refund = stage.razorpay.refund_from_dashboard(&path, amount).map_err(problem)?;
    Ok(HttpResponse::Ok().json(refund))
}

/// How a refund ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    status: RefundEnd,
}

pub(super) async fn finish_refund(
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let Finish { status } = parse(&body)?;
    Ok(HttpResponse::Ok().json(stage.razorpay.finish_refund(&path, status).map_err(problem)?))
}
