//! `/v1/orders` (razorpay.com/docs/api/orders).

use actix_web::{HttpRequest, HttpResponse, web};

use super::fields::{Fields, MIN_AMOUNT};
use super::window::Window;
use super::{carry_out, read};
use crate::faults::Call;
use crate::razorpay::books::{CURRENCY, Entity, NewOrder};
use crate::razorpay::error::{ApiError, Refusal};
use crate::stage::Stage;

/// The longest receipt, in characters.
const MAX_RECEIPT: usize = 40;

/// The least time that a payment may wait to be captured by itself, and the most it may wait at all, in minutes
/// (razorpay.com/docs/payments/payments/capture-settings/api).
const MIN_EXPIRY: i64 = 12;
const MAX_EXPIRY: i64 = 7_200;

pub(super) async fn create(
    request: HttpRequest,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let fields = Fields::parse(&request, &body);
    let order = fields.and_then(parse);
    carry_out(
        &request,
        &stage,
        Call::Order,
        |_| Ok(()),
        move |razorpay| {
            let order = order.clone()?;
            razorpay.change(true, |books| books.open_order(order, razorpay.unique_receipts))
        },
    )
    .await
}

pub(super) async fn list(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    let query = request.query_string().to_owned();
    read(&request, &stage, move |razorpay| {
        let window = Window::parse(&query, &["receipt", "authorized"])?;
        let receipt = window.get("receipt");
        let books = razorpay.books();
        let orders = books.orders.newest_first();
        Ok(window.show(
            orders.filter(|order| {
                receipt.is_none_or(|receipt| order.terms.receipt.as_deref() == Some(receipt))
            }),
        ))
    })
    .await
}

pub(super) async fn fetch(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    read(&request, &stage, move |razorpay| Ok(razorpay.books().orders.find(&path)?.view())).await
}

pub(super) async fn payments(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    let query = request.query_string().to_owned();
    read(&request, &stage, move |razorpay| {
        let window = Window::parse(&query, &[])?;
        let books = razorpay.books();
        let ids = books.orders.find(&path)?.payments().iter().rev();
        Ok(window.show(ids.filter_map(|id| books.payments.find(id).ok())))
    })
    .await
}

fn parse(mut fields: Fields) -> Result<NewOrder, ApiError> {
    let amount = fields.integer("amount")?;
    let currency = fields.text("currency", 3)?;
    let receipt = fields.text("receipt", MAX_RECEIPT)?;
    let notes = fields.notes()?;
    // Whether it may be paid in parts makes no difference: the sandbox's checkout pays all of it.
    fields.truth("partial_payment")?;
    let captures_of_old = fields.truth("payment_capture")?;
    let captures = match fields.object("payment")? {
        Some(payment) => Some(parse_capture(payment)?),
        None => captures_of_old,
    };
    fields.finish()?;
    let amount = amount.ok_or_else(|| ApiError::field("amount", "amount: is required."))?;
    let currency = currency.ok_or_else(|| ApiError::field("currency", "currency: is required."))?;
    if currency != CURRENCY {
        return Err(ApiError::field("currency", "Currency is not supported"));
    }
    match amount {
        MIN_AMOUNT.. => {}
        1.. => return Err(ApiError::order_too_small()),
        _ => return Err(ApiError::field("amount", "The amount must be at least INR 1.00")),
    }
    // The account captures by itself unless the order says otherwise.
    Ok(NewOrder { amount, receipt, notes, captures: captures.unwrap_or(true) })
}

/// Reads `payment`: what an order says of capturing, over the account's own setting.
fn parse_capture(mut payment: Fields) -> Result<bool, ApiError> {
    let captures = match payment.text("capture", usize::MAX)?.as_deref() {
        Some("automatic") => true,
        Some("manual") => false,
        _ => return Err(ApiError::field("capture", "The selected capture is invalid.")),
    };
    if let Some(mut options) = payment.object("capture_options")? {
        for name in ["automatic_expiry_period", "manual_expiry_period"] {
            let minutes = options.integer(name)?;
            if minutes.is_some_and(|minutes| !(MIN_EXPIRY..=MAX_EXPIRY).contains(&minutes)) {
                let name_in_words = name.replace('_', " ");
                let description =
                    format!("The {name_in_words} must be between {MIN_EXPIRY} and {MAX_EXPIRY}.");
                return Err(ApiError::field(name, description));
            }
        }
        let speed = options.text("refund_speed", usize::MAX)?;
        if speed.is_some_and(|speed| !matches!(speed.as_str(), "normal" | "optimum")) {
            return Err(ApiError::field("refund_speed", "The selected refund speed is invalid."));
        }
        options.finish()?;
    }
    payment.finish()?;
    Ok(captures)
}
