//! `/pay/{order}`: the checkout, as a page with three buttons.

use std::fmt::{self, Write};

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, Resource, web};
use serde_json::Value;
use url::form_urlencoded;

use super::books::{Entity, Method, Order, OrderStatus};
use super::desk::{Pay, PayOutcome, failure};
use super::error::ApiError;
use crate::html::Escaped;
use crate::http::method_not_allowed;
use crate::stage::Stage;

/// The page loads nothing and runs nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// After how long the late payment of the page is captured, in milliseconds.
const LATE_MS: u64 = 10_000;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandbox checkout</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
.amount { font-size: 2rem; font-weight: 600; margin: 0 }
button, select { font: inherit; padding: .5rem 1rem; margin: .25rem .5rem .25rem 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid #8886; border-radius: .5rem; padding: 1rem }
</style>
</head>
<body>
<h1>Checkout</h1>
"#;

/// The routes of the page.
pub(crate) fn resource() -> Resource {
    web::resource("/pay/{order}")
        .route(web::get().to(show))
        .route(web::post().to(pay))
        .default_service(web::to(method_not_allowed))
}

async fn show(path: web::Path<String>, stage: web::Data<Stage>) -> HttpResponse {
    match stage.razorpay.books().orders.find(&path) {
        Ok(order) => page(StatusCode::OK, |page| write_order(page, order)),
        Err(error) => not_found(&error),
    }
}

async fn pay(path: web::Path<String>, stage: web::Data<Stage>, body: web::Bytes) -> HttpResponse {
    let Some(pay) = parse(&body) else {
        return page(StatusCode::BAD_REQUEST, |page| page.write_str("<p>The form says nothing to do.</p>\n"));
    };
    let status = stage.razorpay.books().orders.find(&path).map(|order| order.status);
    match status {
        Ok(OrderStatus::Paid) => {
            return page(StatusCode::CONFLICT, |page| page.write_str("<p>This order is paid already.</p>\n"));
        }
        Ok(OrderStatus::Created | OrderStatus::Attempted) => {}
        Err(error) => return not_found(&error),
    }
    match stage.razorpay.pay(&path, &pay) {
        Ok(checkout) => page(StatusCode::OK, |page| {
            let answer = checkout.view(failure(pay.outcome));
            write_outcome(page, pay.outcome, &answer, &checkout.order_id)
        }),
        Err(error) => not_found(&error),
    }
}

fn parse(body: &[u8]) -> Option<Pay> {
    let field = |wanted: &str| {
        let mut fields = form_urlencoded::parse(body);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let outcome = match field("outcome")?.as_str() {
        "success" => PayOutcome::Success,
        "failure" => PayOutcome::Failure,
        "late" => PayOutcome::Late,
        _ => return None,
    };
    let asked = field("method");
    let method = Method::ALL.into_iter().find(|method| asked.as_deref() == Some(method.name()));
    let settle_after_ms = (outcome == PayOutcome::Late).then_some(LATE_MS);
    Some(Pay { method: method.unwrap_or_default(), settle_after_ms, ..Pay::with(outcome) })
}

fn not_found(error: &ApiError) -> HttpResponse {
    page(StatusCode::NOT_FOUND, |page| writeln!(page, "<p>{}</p>", Escaped(&error.to_string())))
}

fn page(status: StatusCode, write: impl FnOnce(&mut String) -> fmt::Result) -> HttpResponse {
    let mut page = String::from(HEAD);
    // Writing to a string cannot fail.
    let _ = write(&mut page);
    page.push_str("</body>\n</html>\n");
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page)
}

fn write_order(page: &mut String, order: &Order) -> fmt::Result {
    let paise = order.terms.amount;
    writeln!(page, "<p class=\"amount\">₹{}.{:02}</p>", paise / 100, paise % 100)?;
    writeln!(page, "<p>Order {}", Escaped(order.id()))?;
    if let Some(receipt) = &order.terms.receipt {
        writeln!(page, "<br>Receipt {}", Escaped(receipt))?;
    }
    page.write_str("</p>\n")?;
    if order.status == OrderStatus::Paid {
        return page.write_str("<p>This order is paid.</p>\n");
    }
    writeln!(page, "<form method=\"post\" action=\"/pay/{}\">", Escaped(order.id()))?;
    page.write_str("<p><label>Method <select name=\"method\">")?;
    for method in Method::ALL {
        write!(page, "<option>{}</option>", method.name())?;
    }
    page.write_str("</select></label></p>\n")?;
    for (outcome, label) in
        [("success", "Pay"), ("failure", "Fail"), ("late", "Fail now, be captured ten seconds later")]
    {
        writeln!(page, "<button name=\"outcome\" value=\"{outcome}\">{label}</button>")?;
    }
    page.write_str("</form>\n")
}

fn write_outcome(page: &mut String, outcome: PayOutcome, answer: &Value, order_id: &str) -> fmt::Result {
    let said = match outcome {
        PayOutcome::Success | PayOutcome::Authorized => {
            "Paid. A browser would now be given this, to be verified:"
        }
        PayOutcome::Failure => "Failed. A browser would now be told:",
        PayOutcome::Late => "Failed, for ten seconds. A browser would now be told:",
    };
    writeln!(page, "<p>{said}</p>\n<pre>{}</pre>", Escaped(&format!("{answer:#}")))?;
    writeln!(page, "<p><a href=\"/pay/{}\">Back to the order</a></p>", Escaped(order_id))
}
