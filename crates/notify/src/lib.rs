//! Telling people: the ports through which SMS and mail leave, the clients behind them, and what one-time codes say.
//!
//! A sender is a port trait ([`SmsSender`], [`MailSender`]); [`Twilio`] and [`Smtp`] are the clients, and [`Guarded`]
//! wraps either with an [`outbound::Guard`]: a circuit breaker, a limit on calls at a time and the few retries that are
//! safe.
//!
//! Invariants:
//! - Every call ends: connecting, answering and the whole of it have a deadline, and an answer has a size limit.
//! - A message that may have left is never sent again by itself: [`SendError::Unknown`] is told, not retried.
//! - Nothing here logs, counts or returns a phone number, an address or a body.
//! - Credentials never cross a network in the clear, and no redirect is followed.
//!
//! ```
//! use std::time::Duration;
//!
//! use kernel::Phone;
//! use notify::{Language, OtpMessages, OtpTemplates};
//! use secrecy::SecretString;
//!
//! let messages = OtpMessages::new("DGT Marketplace", OtpTemplates::default());
//! let to = Phone::parse("9876543210").unwrap();
//! let sms = messages.sms(to, &SecretString::from("123456"), Duration::from_secs(300), Language::English);
//! assert_eq!(sms.validity, Duration::from_secs(300));
//! ```

mod error;
mod guarded;
mod language;
mod mail;
mod otp;
mod providers;
mod sms;

pub use error::{ConfigError, SendError};
pub use guarded::Guarded;
pub use language::Language;
pub use mail::{MailMessage, MailReceipt, MailSender};
pub use otp::{OtpMessages, OtpTemplates};
pub use providers::smtp::{Smtp, SmtpConfig};
pub use providers::twilio::{Twilio, TwilioConfig, TwilioSender};
pub use sms::{SmsMessage, SmsReceipt, SmsSender};
