//! Who sends messages, and what notifications need to know.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// Text messages through Twilio's API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioConfig {
    /// Where the API is; the sandbox's address in development.
    pub base_url: Url,
    /// The account.
    pub account_sid: String,
    /// Its token.
    pub auth_token: SecretString,
    /// The sending number or id; or a messaging service.
    pub from: Option<String>,
    /// The messaging service that chooses a sender.
    pub messaging_service_sid: Option<String>,
    /// The id of the one-time code's template, as registered under India's DLT rules.
    pub otp_dlt_template_id: Option<String>,
    /// The same for its Hindi form.
    pub otp_dlt_template_id_hindi: Option<String>,
}

impl TwilioConfig {
    /// The account alone.
    pub fn account(&self) -> TwilioAccount {
        TwilioAccount {
            base_url: self.base_url.clone(),
            account_sid: self.account_sid.clone(),
            auth_token: self.auth_token.clone(),
            from: self.from.clone(),
            messaging_service_sid: self.messaging_service_sid.clone(),
        }
    }
}

/// An account that sends text messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioAccount {
    /// Where the API is.
    pub base_url: Url,
    /// The account.
    pub account_sid: String,
    /// Its token.
    pub auth_token: SecretString,
    /// The sending number or id; or a messaging service.
    pub from: Option<String>,
    /// The messaging service that chooses a sender.
    pub messaging_service_sid: Option<String>,
}

/// Who sends text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsProvider {
    /// The account of the section `twilio`.
    Twilio,
    /// The account of the section `twilio_standby`.
    TwilioStandby,
}

/// Who sends mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailProvider {
    /// The server of the section `smtp`.
    Smtp,
    /// The server of the section `smtp_standby`.
    SmtpStandby,
}

/// Mail by SMTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// `smtp://host:port`, `smtps://…`, or `smtp://…?tls=required` for STARTTLS, with user and password if needed.
    pub url: SecretString,
    /// A file of certificates, in PEM, of authorities that the server's may come from beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The sender of mail.
    pub from: String,
}

/// Push messages through Firebase Cloud Messaging.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FcmSection {
    /// The service account's key file, as JSON. Without one nothing is pushed.
    pub service_account: Option<SecretString>,
    /// Where the API is, if not at Google; the sandbox's address in development.
    pub base_url: Option<Url>,
    /// Where access tokens come from, if not from where the key file says.
    pub token_url: Option<Url>,
}

/// Notifications.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifySection {
    /// Where the marketplace's pages are: what a notification leads to is a path below it.
    pub web_url: Url,
    /// Where this API is for the outside: links to unsubscribe and reports on SMS lead there.
    pub api_url: Url,
    /// Whether Twilio is asked to report what becomes of an SMS.
    pub sms_status: bool,
    /// Who sends text messages; each one for when those before it certainly did not take a message.
    pub sms: Vec<SmsProvider>,
    /// Who sends mail, in the same way.
    pub mail: Vec<MailProvider>,
}
