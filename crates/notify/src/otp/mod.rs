//! What a one-time code says of itself, by SMS and by mail, in English and in Hindi.

mod text;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Email, Phone};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{Language, MailMessage, MailSender, SmsMessage, SmsSender};

/// The ids under which the SMS texts are registered with the Indian operators (DLT), one per language.
///
/// The registered text must equal [`OtpMessages`]'s but for its variables; a text without an id is sent without one,
/// which reaches India only over the international route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtpTemplates {
    /// For the English text.
    pub english: Option<String>,
    /// For the Hindi text.
    pub hindi: Option<String>,
}

/// The senders of one-time codes: nobody logs in without them, so they have guards of their own, and no trouble with
/// other messages keeps them back.
#[derive(Clone)]
pub struct OtpSenders {
    /// For SMS.
    pub sms: Arc<dyn SmsSender>,
    /// For mails.
    pub mail: Arc<dyn MailSender>,
}

impl std::fmt::Debug for OtpSenders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OtpSenders")
    }
}

/// Writes the messages that carry one-time codes.
#[derive(Debug, Clone)]
pub struct OtpMessages {
    brand: String,
    templates: OtpTemplates,
}

impl OtpMessages {
    /// The longest brand name that fits one variable of a registered template, in characters.
    pub const MAX_BRAND: usize = 30;

    /// Messages in the name of a brand, which Indian rules want in the text; cut to [`Self::MAX_BRAND`] characters.
    pub fn new(brand: &str, templates: OtpTemplates) -> Self {
        let brand = brand.chars().filter(|c| !c.is_control()).take(Self::MAX_BRAND).collect();
        Self { brand, templates }
    }

    /// The SMS. It is worthless once the code is, so it waits on its way no longer than that.
    pub fn sms(&self, to: Phone, code: &SecretString, valid_for: Duration, language: Language) -> SmsMessage {
        let dlt_template_id = match language {
            Language::English => self.templates.english.clone(),
            Language::Hindi => self.templates.hindi.clone(),
        };
        let body = text::sms(&self.brand, code.expose_secret(), minutes(valid_for), language);
        SmsMessage { to, body: body.into(), dlt_template_id, validity: valid_for, status_callback: None }
    }

    /// The mail, as text and as HTML.
    pub fn mail(
        &self,
        id: Uuid,
        to: Email,
        code: &SecretString,
        valid_for: Duration,
        language: Language,
    ) -> MailMessage {
        let minutes = minutes(valid_for);
        let code = code.expose_secret();
        MailMessage {
            id,
            to,
            subject: text::subject(&self.brand, language),
            text: text::mail(&self.brand, code, minutes, language).into(),
            html: Some(text::html(&self.brand, code, minutes, language).into()),
            unsubscribe: None,
        }
    }
}

/// Whole minutes, never promising more than there is, except that less than one is called one.
fn minutes(valid_for: Duration) -> u64 {
    (valid_for.as_secs() / 60).max(1)
}
