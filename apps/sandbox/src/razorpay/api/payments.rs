//! `/v1/payments` (razorpay.com/docs/api/payments).

use actix_web::{HttpRequest, HttpResponse, web};

use super::fields::Fields;
use super::window::Window;
use super::{carry_out, read};
use crate::faults::Call;
use crate::razorpay::books::{CURRENCY, Entity};
use crate::razorpay::error::{ApiError, Refusal};
use crate::stage::Stage;

pub(super) async fn list(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    let query = request.query_string().to_owned();
    read(&request, &stage, move |razorpay| {
        let window = Window::parse(&query, &[])?;
        Ok(window.show(razorpay.books().payments.newest_first()))
    })
    .await
}

pub(super) async fn fetch(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    read(&request, &stage, move |razorpay| Ok(razorpay.books().payments.find(&path)?.view())).await
}

pub(super) async fn capture(
    request: HttpRequest,
    path: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let amount = Fields::parse(&request, &body).and_then(parse_capture);
    carry_out(
        &request,
        &stage,
        Call::Capture,
        |_| Ok(()),
        move |razorpay| {
            let amount = amount.clone()?;
            razorpay.change(true, |books| books.capture(&path, amount))
        },
    )
    .await
}

/// The currency may be left out, which stands for rupees.
fn parse_capture(mut fields: Fields) -> Result<i64, ApiError> {
    let amount = fields.integer("amount")?;
    let currency = fields.text("currency", 3)?;
    fields.finish()?;
    if currency.is_some_and(|currency| currency != CURRENCY) {
        return Err(ApiError::field("currency", "The currency should match with the payment's currency"));
    }
    amount.ok_or_else(|| ApiError::field("amount", "The amount field is required."))
}
