//! Stand-ins for the outside services that the marketplace talks to, for development and tests.
//!
//! They speak the providers' own wire protocols and refuse what the providers refuse, so the real clients are
//! pointed here instead of being replaced by mocks: Twilio's Messages API over HTTP and a mail server over SMTP.
//! What they are sent lands in an inbox, readable as a page or as JSON, and they can be told to misbehave.
//!
//! | | |
//! |---|---|
//! | `POST /2010-04-01/Accounts/{Sid}/Messages.json`, `GET` of the list and of one message | Twilio, strictly |
//! | SMTP: `HELO EHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT` | RFC 5321 |
//! | `GET /inbox?channel=sms\|email\|push&to=…`, `DELETE /inbox` | what was sent, newest first |
//! | `POST`, `GET`, `DELETE /control/faults` | delays, errors, lost connections, duplicates |
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

mod config;
mod faults;
mod http;
mod inbox;
mod problem;
mod running;
mod smtp;
mod stage;
mod twilio;

pub use config::SandboxConfig;
pub use running::{Running, Sandbox};
