//! Stand-ins for the outside services that the marketplace talks to, for development and tests.
//!
//! They speak the providers' own wire protocols and refuse what the providers refuse, so the real clients are
//! pointed here instead of being replaced by mocks: Razorpay's payment gateway, Twilio's Messages API and Firebase Cloud
//! Messaging over HTTP, and a mail server over SMTP. What is sent lands in an inbox, orders are paid on a page, both also by programs, and
//! all of them can be told to misbehave.
//!
//! | | |
//! |---|---|
//! | `POST /2010-04-01/Accounts/{Sid}/Messages.json`, `GET` of the list and of one message | Twilio, strictly |
//! | `/v1/orders`, `/v1/payments`, `/v1/refunds`, and signed webhooks | Razorpay, strictly |
//! | `POST /token`, `/v1/projects/{project}/messages:send`, `/iid/v1:batchAdd`, `/iid/v1:batchRemove` | Google's tokens, Firebase Cloud Messaging, strictly |
//! | `GET /pay/{order}` | its checkout: pay, fail, be captured late |
//! | SMTP: `HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT` | RFC 5321 |
//! | `GET /inbox?channel=sms\|email\|push&to=…`, `DELETE /inbox` | what was sent, newest first |
//! | `POST`, `GET`, `DELETE /control/faults` | delays, errors, lost connections and answers, duplicates |
//! | `POST /control/orders/{id}/pay` | pays an order, and answers what checkout gives the browser |
//! | `POST /control/payments`, `…/{id}/settle`, `…/{id}/refund` | a payment made elsewhere, a late capture, a dashboard refund |
//! | `POST /control/refunds/{id}` | ends a pending refund |
//! | `GET`, `POST /control/webhooks`, `POST /control/webhooks/replay` | what was delivered; duplicates, disorder, delay, loss; once more |
//! | `POST /control/fcm/tokens` | a device that is gone, or somebody else's |
//! | `POST /control/twilio/callbacks` | what becomes of messages, and how its reports misbehave |
//! | `GET /livez` | whether it runs |
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use sandbox::{Sandbox, SandboxConfig};
//!
//! let running = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
//! assert!(running.http_url().starts_with("http://127.0.0.1:"));
//! running.stop().await;
//! # });
//! ```

mod background;
mod config;
mod faults;
mod fcm;
mod html;
mod http;
mod inbox;
mod problem;
mod razorpay;
mod running;
mod smtp;
mod stage;
mod twilio;

pub use config::SandboxConfig;
pub use fcm::{FCM_PROJECT, FCM_SERVICE_ACCOUNT, FcmTokenState};
pub use razorpay::{
    Checkout, Method, OutsidePayment, Pay, PayOutcome, RazorpayConfig, RazorpayDesk, RefundEnd,
    WebhookBehaviour,
};
pub use running::{Running, Sandbox};
pub use twilio::{CallbackBehaviour, SmsOutcome};
