//! Refunds: `/v1/payments/{id}/refund` and the lists of them (razorpay.com/docs/api/refunds).

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::fields::{Fields, MIN_AMOUNT};
use super::window::Window;
use super::{carry_out, read};
use crate::faults::Call;
use crate::razorpay::Razorpay;
use crate::razorpay::books::{Entity, NewRefund, Request, Speed};
use crate::razorpay::error::{ApiError, Refusal};
use crate::stage::Stage;

/// The header of the idempotency key, and how short a key must not be.
const KEY_HEADER: &str = "X-Refund-Idempotency";
const MIN_KEY: usize = 10;

/// The longest receipt, in characters.
const MAX_RECEIPT: usize = 40;

pub(super) async fn create(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let payment_id = path.into_inner();
    let key = parse_key(&request);
    let terms = Fields::parse(&request, &body).and_then(parse);
    let asked = Request { payment_id: payment_id.clone(), body: body.to_vec() };
    let begun_with = key.clone();
    let begin = move |razorpay: &Arc<Razorpay>| match begun_with? {
        Some(key) => razorpay.books().claim_key(&key, &asked),
        None => Ok(()),
    };
    carry_out(&request, &stage, Call::Refund, begin, move |razorpay| {
        let refunded = |terms: NewRefund| razorpay.refund(&payment_id, terms);
        let refund_id = match key.clone()? {
            None => refunded(terms.clone()?)?,
            Some(key) => once(razorpay, &key, || refunded(terms.clone()?))?,
        };
        show(razorpay, &refund_id)
    })
    .await
}

/// Gives the refund that the key has led to, or makes it.
fn once(
    razorpay: &Razorpay,
    key: &str,
    refund: impl FnOnce() -> Result<String, ApiError>,
) -> Result<String, ApiError> {
    let known = razorpay.books().refund_of_key(key);
    if let Some(refund_id) = known {
        return Ok(refund_id);
    }
    let made = refund();
    razorpay.books().close_key(key, made.as_deref().ok());
    made
}

pub(super) async fn of_payment(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    let query = request.query_string().to_owned();
    read(&request, &stage, move |razorpay| {
        let window = Window::parse(&query, &[])?;
        let books = razorpay.books();
        let ids = books.payments.find(&path)?.refunds().iter().rev();
        Ok(window.show(ids.filter_map(|id| books.refunds.find(id).ok())))
    })
    .await
}

pub(super) async fn one_of_payment(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    let (payment_id, refund_id) = path.into_inner();
    read(&request, &stage, move |razorpay| {
        let books = razorpay.books();
        books.payments.find(&payment_id)?;
        let refund = books.refunds.find(&refund_id)?;
        if refund.payment_id() == payment_id { Ok(refund.view()) } else { Err(ApiError::unknown_id()) }
    })
    .await
}

pub(super) async fn list(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    let query = request.query_string().to_owned();
    read(&request, &stage, move |razorpay| {
        let window = Window::parse(&query, &[])?;
        Ok(window.show(razorpay.books().refunds.newest_first()))
    })
    .await
}

pub(super) async fn fetch(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    read(&request, &stage, move |razorpay| show(razorpay, &path)).await
}

fn show(razorpay: &Razorpay, refund_id: &str) -> Result<Value, ApiError> {
    Ok(razorpay.books().refunds.find(refund_id)?.view())
}

/// The idempotency key, if there is one.
fn parse_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(value) = request.headers().get(KEY_HEADER) else {
        return Ok(None);
    };
    let is_proper = |key: &&str| {
        key.len() >= MIN_KEY && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    match value.to_str().ok().filter(is_proper) {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(ApiError::refused(format!(
            "The idempotency key must be at least {MIN_KEY} characters long and can contain alphabets, numbers, hyphens and underscores only."
        ))),
    }
}

fn parse(mut fields: Fields) -> Result<NewRefund, ApiError> {
    let amount = fields.integer("amount")?;
    let speed = match fields.text("speed", usize::MAX)?.as_deref() {
        None | Some("normal") => Speed::Normal,
        Some("optimum") => Speed::Optimum,
        Some(_) => return Err(ApiError::field("speed", "The selected speed is invalid.")),
    };
    let receipt = fields.text("receipt", MAX_RECEIPT)?;
    let notes = fields.notes()?;
    fields.finish()?;
    if amount.is_some_and(|amount| amount < MIN_AMOUNT) {
        return Err(ApiError::field("amount", "The amount must be at least INR 1.00"));
    }
    Ok(NewRefund { amount, speed, receipt, notes })
}
