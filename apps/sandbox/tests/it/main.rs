//! The sandbox as its users see it: an HTTP client, a mail client, and a bare socket for what no client would do.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;
mod faults;
mod inbox;
mod razorpay_faults;
mod razorpay_orders;
mod razorpay_page;
mod razorpay_payments;
mod razorpay_refunds;
mod razorpay_webhooks;
mod receiver;
mod shop;
mod smtp;
mod twilio;
mod wire;
