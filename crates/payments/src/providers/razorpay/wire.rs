//! Razorpay's JSON. Strict in what is sent; lenient in what is read: optional fields come as null, `""`, `"null"`, `[]`
//! for `{}`, or not at all. `notes` and everything about a payer are not read.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::payment::is_provider_id;
use crate::{
    Charge, NewProviderOrder, NewProviderRefund, PaymentStatus, ProviderOrder, ProviderPayment,
    ProviderRefund, RefundState,
};

/// Minutes for which a payment that is authorised is captured by itself: three days, as long as one may be late.
const AUTOMATIC_EXPIRY: u32 = 4_320;
/// Minutes after which one that was not captured goes back: five days.
const MANUAL_EXPIRY: u32 = 7_200;

/// A list.
#[derive(Debug, Deserialize)]
pub(super) struct Collection<T> {
    pub(super) items: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Order {
    id: String,
    amount: Json,
    currency: String,
    #[serde(default)]
    receipt: Json,
}

#[derive(Debug, Deserialize)]
pub(super) struct Payment {
    id: String,
    amount: Json,
    currency: String,
    status: String,
    #[serde(default)]
    order_id: Json,
    #[serde(default)]
    method: Json,
    #[serde(default)]
    amount_refunded: Json,
    #[serde(default)]
    fee: Json,
    #[serde(default)]
    tax: Json,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refund {
    id: String,
    payment_id: String,
    amount: Json,
    #[serde(default)]
    status: Json,
    #[serde(default)]
    receipt: Json,
}

impl From<Order> for Option<ProviderOrder> {
    fn from(wire: Order) -> Self {
        let charge = charge(&wire.amount, wire.currency)?;
        let receipt = text(&wire.receipt);
        is_provider_id(&wire.id).then_some(ProviderOrder { id: wire.id, charge, receipt })
    }
}

impl From<Payment> for Option<ProviderPayment> {
    fn from(wire: Payment) -> Self {
        let charge = charge(&wire.amount, wire.currency)?;
        is_provider_id(&wire.id).then_some(ProviderPayment {
            id: wire.id,
            order_id: text(&wire.order_id).filter(|id| is_provider_id(id)),
            charge,
            // A state that we do not know moves nothing.
            status: PaymentStatus::read(&wire.status).unwrap_or(PaymentStatus::Created),
            method: text(&wire.method).filter(|method| is_method(method)),
            amount_refunded: paise(&wire.amount_refunded).unwrap_or_default(),
            fee: paise(&wire.fee),
            tax: paise(&wire.tax),
        })
    }
}

impl From<Refund> for Option<ProviderRefund> {
    fn from(wire: Refund) -> Self {
        let amount = paise(&wire.amount).filter(|amount| *amount > 0)?;
        let state = text(&wire.status).and_then(|word| RefundState::read(&word).ok());
        let is_readable = is_provider_id(&wire.id) && is_provider_id(&wire.payment_id);
        is_readable.then_some(ProviderRefund {
            id: wire.id,
            payment_id: wire.payment_id,
            amount,
            state: state.unwrap_or(RefundState::Pending),
            receipt: text(&wire.receipt),
        })
    }
}

/// An amount above zero in a currency that has the form of one.
fn charge(amount: &Json, currency: String) -> Option<Charge> {
    let is_code = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
    let amount = paise(amount).filter(|amount| *amount > 0)?;
    is_code.then_some(Charge { amount, currency })
}

/// Whole minor units, as a number or as digits; never a fraction.
fn paise(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

fn text(value: &Json) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty() && *text != "null").map(ToOwned::to_owned)
}

fn is_method(text: &str) -> bool {
    text.len() <= 20 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[derive(Serialize)]
struct OrderBody<'a> {
    amount: i64,
    currency: &'a str,
    receipt: &'a str,
    partial_payment: bool,
    payment: Capturing,
}

#[derive(Serialize)]
struct Capturing {
    capture: &'static str,
    capture_options: CaptureOptions,
}

#[derive(Serialize)]
struct CaptureOptions {
    automatic_expiry_period: u32,
    manual_expiry_period: u32,
    refund_speed: &'static str,
}

/// The body of `POST /v1/orders`; how payments are captured is said here, whatever the dashboard is set to.
pub(super) fn order_body(new: &NewProviderOrder) -> Vec<u8> {
    bytes(&OrderBody {
        amount: new.amount.amount(),
        currency: new.amount.currency().code(),
        receipt: &new.receipt,
        partial_payment: false,
        payment: Capturing {
            capture: "automatic",
            capture_options: CaptureOptions {
                automatic_expiry_period: AUTOMATIC_EXPIRY,
                manual_expiry_period: MANUAL_EXPIRY,
                refund_speed: "normal",
            },
        },
    })
}

#[derive(Serialize)]
struct CaptureBody<'a> {
    amount: i64,
    currency: &'a str,
}

/// The body of `POST /v1/payments/:id/capture`.
pub(super) fn capture_body(amount: i64, currency: &str) -> Vec<u8> {
    bytes(&CaptureBody { amount, currency })
}

#[derive(Serialize)]
struct RefundBody<'a> {
    amount: i64,
    speed: &'a str,
    receipt: &'a str,
}

/// The body of `POST /v1/payments/:id/refund`. Under one key it must be the same at every send, to the byte: the fields
/// are in the order of the struct.
pub(super) fn refund_body(new: &NewProviderRefund) -> Vec<u8> {
    bytes(&RefundBody { amount: new.amount, speed: new.speed.as_str(), receipt: &new.receipt })
}

/// Numbers and texts alone: they always can be written.
fn bytes(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
