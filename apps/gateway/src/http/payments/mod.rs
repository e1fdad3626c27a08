//! Payments: wallets are topped up through Razorpay, payments go back to where they came from, and webhooks arrive.

mod order;
mod read;
mod refund;
mod refunds;
mod verify;
mod webhook;

use crate::http::Routes;

/// Registers the module's operations. Fixed words come before `{id}`.
pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(order::create_order)
        .service(verify::verify_payment)
        .service(refund::refund_payment)
        .service(webhook::receive_webhook)
        .service(read::my_payments)
        .service(read::all_payments)
        .service(refunds::all_refunds)
        .service(read::payment)
        .service(read::refunds_of_payment);
}
