//! The sandbox as its users see it: an HTTP client, a mail client, and a bare socket for what no client would do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod bench;
mod faults;
mod fcm;
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
mod twilio_callbacks;
mod wire;
