//! Twilio's Messages API, version 2010-04-01, for one account.
//!
//! Messages stay `queued` (or `accepted` when sent through a Messaging Service), unless they have a `StatusCallback` on
//! this machine: then they take their course, and signed reports of it are posted there. The account holds no content templates and sends no media, so `Body` is always required; scheduling
//! is not played. Fields that are unknown to Twilio, or have no bearing here, are ignored as Twilio does.

mod account;
mod callback;
mod control;
mod error;
mod listing;
mod message;
mod recipient;
mod routes;
mod segments;
mod send;
mod sender;

pub(crate) use account::Account;
pub(crate) use callback::Callbacks;
pub use callback::{CallbackBehaviour, SmsOutcome};
pub(crate) use control::resource as control;
pub(crate) use message::Messages;
pub(crate) use routes::scope;
