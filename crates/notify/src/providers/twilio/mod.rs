//! Twilio's Messages API: `POST /2010-04-01/Accounts/{Sid}/Messages.json`, form-encoded, HTTP Basic
//! (twilio.com/docs/messaging/api/message-resource). It takes no idempotency key, so a repeated call sends twice.

mod answer;
mod signature;

use std::time::Duration;

use async_trait::async_trait;
use outbound::http::{self, Timeouts};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{ConfigError, SendError, SmsMessage, SmsReceipt, SmsSender};

pub use signature::{twilio_signature, verify_twilio_signature};

/// More than any answer of the Messages API has.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The longest `ValidityPeriod`, in seconds: ten hours.
const MAX_VALIDITY: u64 = 36_000;

/// Who the SMS come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwilioSender {
    /// A Messaging Service: `MG` and 32 hexadecimal digits. It picks a registered sender by country.
    MessagingService(String),
    /// A number, short code or alphanumeric sender id of ours.
    From(String),
}

/// How to reach Twilio.
#[derive(Debug, Clone)]
pub struct TwilioConfig {
    /// `https://api.twilio.com`, or the sandbox.
    pub base_url: Url,
    /// The account: `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's auth token.
    pub auth_token: SecretString,
    /// Who the SMS come from.
    pub sender: TwilioSender,
    /// How long a call may take.
    pub timeouts: Timeouts,
}

/// Sends SMS through Twilio.
#[derive(Clone)]
pub struct Twilio {
    client: Client,
    endpoint: Url,
    account_sid: String,
    auth_token: SecretString,
    sender: TwilioSender,
}

impl Twilio {
    /// A client; it connects when it first sends.
    ///
    /// # Errors
    /// When the base URL is not HTTPS (or HTTP on this machine), the account's SID is malformed, or TLS cannot be
    /// set up.
    pub fn new(config: TwilioConfig) -> Result<Self, ConfigError> {
        let TwilioConfig { base_url, account_sid, auth_token, sender, timeouts } = config;
        if !http::is_private(&base_url) {
            return Err(ConfigError::invalid("twilio.base_url", "must begin with https://"));
        }
        let is_sid = account_sid
            .strip_prefix("AC")
            .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_sid {
            let problem = "must be AC and 32 hexadecimal digits";
            return Err(ConfigError::invalid("twilio.account_sid", problem));
        }
        let mut endpoint = base_url;
        if let Ok(mut path) = endpoint.path_segments_mut() {
            path.pop_if_empty().extend(["2010-04-01", "Accounts", &account_sid, "Messages.json"]);
        }
        Ok(Self {
            client: http::client(timeouts).map_err(ConfigError::Http)?,
            endpoint,
            account_sid,
            auth_token,
            sender,
        })
    }

    async fn post(&self, message: &SmsMessage) -> Result<Response, SendError> {
        let validity = message.validity.as_secs().clamp(1, MAX_VALIDITY).to_string();
        let (sender_field, sender) = match &self.sender {
            TwilioSender::MessagingService(sid) => ("MessagingServiceSid", sid),
            TwilioSender::From(from) => ("From", from),
        };
        let mut form = vec![
            ("To", message.to.as_str()),
            (sender_field, sender),
            ("Body", message.body.expose_secret()),
            ("ValidityPeriod", &validity),
        ];
        if let Some(id) = &message.dlt_template_id {
            // Named by error 21901, "DltTemplateId is invalid".
            form.push(("DltTemplateId", id));
        }
        if let Some(url) = &message.status_callback {
            form.push(("StatusCallback", url.as_str()));
        }
        let request = self
            .client
            .post(self.endpoint.clone())
            .basic_auth(&self.account_sid, Some(self.auth_token.expose_secret()))
            .form(&form);
        request.send().await.map_err(|error| {
            if error.is_connect() {
                SendError::NotSent { code: None, retry_after: None }
            } else {
                SendError::Unknown
            }
        })
    }
}

#[async_trait]
impl SmsSender for Twilio {
    async fn send(&self, message: &SmsMessage) -> Result<SmsReceipt, SendError> {
        let response = self.post(message).await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = http::read_at_most(response, MAX_ANSWER_BYTES).await;
        let result = answer::read(status, retry_after, body.as_deref().unwrap_or_default());
        if let Err(error @ SendError::Misconfigured { .. }) = &result {
            tracing::error!(%error, "Twilio does not take our messages: check the account, sender and template");
        }
        result
    }
}

/// The header's seconds (RFC 9110 §10.2.3); its other form, a date, is not used by Twilio.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

impl std::fmt::Debug for Twilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twilio").field("sender", &self.sender).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base_url: &str, account_sid: &str) -> TwilioConfig {
        TwilioConfig {
            base_url: base_url.parse().unwrap(),
            account_sid: account_sid.to_owned(),
            auth_token: "token".into(),
            sender: TwilioSender::From("DGTMKT".to_owned()),
            timeouts: Timeouts::default(),
        }
    }

    const SID: &str = "AC00000000000000000000000000000000";

    #[test]
    fn the_token_does_not_cross_a_network_in_the_clear() {
        assert!(Twilio::new(config("https://api.twilio.com", SID)).is_ok());
        assert!(Twilio::new(config("http://127.0.0.1:4010", SID)).is_ok());
        assert!(Twilio::new(config("http://[::1]:4010", SID)).is_ok());
        for url in
            ["http://api.twilio.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "ftp://localhost"]
        {
            assert!(Twilio::new(config(url, SID)).is_err(), "{url}");
        }
    }

    #[test]
    fn the_account_is_part_of_the_path() {
        let twilio = Twilio::new(config("https://api.twilio.com/", SID)).unwrap();
        assert_eq!(
            twilio.endpoint.as_str(),
            format!("https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json")
        );
        for sid in ["", "AC12", "../../x", "SK00000000000000000000000000000000"] {
            assert!(Twilio::new(config("https://api.twilio.com", sid)).is_err(), "{sid}");
        }
    }

    #[test]
    fn a_client_does_not_show_its_token() {
        let twilio = Twilio::new(config("https://api.twilio.com", SID)).unwrap();
        assert!(!format!("{twilio:?}").contains("token"));
        assert!(!format!("{:?}", config("https://api.twilio.com", SID)).contains("\"token\""));
    }
}
