//! Telling people: what they are told and how they want to be told, the messages that follow, the ports through which
//! these leave and the clients behind them, webhooks to partners, and what one-time codes say.
//!
//! A sender is a port trait ([`SmsSender`], [`PushSender`], [`MailSender`]); [`Twilio`], [`Fcm`] and [`Smtp`] are the
//! clients, [`Guarded`] wraps each with an [`outbound::Guard`] (a circuit breaker, a limit on calls at a time and the few
//! retries that are safe), and [`Failover`] has another one stand in for it.
//!
//! Owns the tables `notifications`, `notification_…`, `push_devices`, `hook_…` and `announcement…`.
//!
//! Invariants:
//! - An event is told to a person once, in the transaction that tells it; messages follow from it and from nothing else.
//! - A delivery is sent by one sender at a time, outside of any transaction, and holds no contact.
//! - What somebody switched off, their quiet hours and the daily caps hold for everything that is not critical.
//! - Every template that is stored can be filled in.
//! - No webhook reaches an address that is not on the public network.
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

mod announcement;
mod catalogue;
mod channel;
mod clock;
mod config;
mod delivery;
mod device;
mod error;
mod failover;
mod guarded;
mod hook;
mod inbox;
mod lag;
mod language;
mod mail;
mod otp;
mod preference;
mod providers;
mod push;
mod send_error;
mod sms;
mod template;

use std::sync::Arc;

use kernel::Ambient;
use store::Database;

pub use announcement::{
    ActiveAnnouncementView, Advanced, AnnouncementEvent, AnnouncementFields, AnnouncementInput,
    AnnouncementStatus, AnnouncementView, Audience, AudienceFacts, Broadcast, BroadcastInput, FanOut,
    Reached, Segment,
};
pub use catalogue::{Category, Kind, KindSpec, KindView, Sample, Variable, catalogue};
pub use channel::Channel;
pub use config::{DailyCaps, NotifyConfig};
pub use delivery::{
    Claim, Claimed, Contact, DeliveryFilter, DeliveryStatus, DeliveryView, FormerContact, Lane,
    NewNotification, Outgoing, PlannedDelivery, Recipient, Senders, Sending, Settled, SmsStatus, Told,
};
pub use device::{DeviceView, Platform, PushTarget, TargetKind};
pub use error::NotifyError;
pub use failover::Failover;
pub use guarded::Guarded;
pub use hook::{
    ClaimedHook, HOOK_RETRIES, HookClaim, HookClient, HookDeliveryView, HookEvent, HookInput, HookSending,
    HookSettled, HookStatus, HookUrl, HookView, NewHook, PlannedHook, Resolve, SystemResolver, Topic,
    verify_hook_signature,
};
pub use inbox::{NotificationFilter, NotificationView};
pub use language::Language;
pub use mail::{MailMessage, MailReceipt, MailSender};
pub use otp::{OtpMessages, OtpSenders, OtpTemplates};
pub use preference::{
    KindPreference, KindWays, NewChoices, Preference, PreferencesView, QuietHours, QuietHoursText,
};
pub use providers::fcm::{Fcm, FcmConfig, TopicChange, TopicError};
pub use providers::smtp::{Smtp, SmtpConfig};
pub use providers::twilio::{Twilio, TwilioConfig, TwilioSender, twilio_signature, verify_twilio_signature};
pub use push::{PushError, PushMessage, PushReceipt, PushSender, PushTo, PushTopic};
pub use send_error::{ConfigError, SendError};
pub use sms::{SmsMessage, SmsReceipt, SmsSender};
pub use template::{Rendered, TemplateKey, TemplateParts, TemplateView};

/// Tells people things, and keeps what they were told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notify {
    db: Database,
    ambient: Ambient,
    config: Arc<NotifyConfig>,
    engine: Arc<template::Engine>,
}

impl Notify {
    /// Notifying by a database.
    pub fn new(db: Database, ambient: Ambient, config: NotifyConfig) -> Self {
        Self { db, ambient, config: Arc::new(config), engine: Arc::new(template::Engine::new()) }
    }

    /// How it is set up.
    pub fn config(&self) -> &NotifyConfig {
        &self.config
    }
}
