//! A request to send a message, read from its form and refused where Twilio would refuse it.

use url::{Host, Url, form_urlencoded};

use super::account::Account;
use super::error::ApiError;
use super::{recipient, segments, sender};

/// The longest body, in characters.
const MAX_BODY: usize = 1600;

/// The longest time that a message may wait in Twilio's queue, in seconds: ten hours.
const MAX_VALIDITY: u32 = 36_000;

/// The longest callback address, in characters.
const MAX_URL: usize = 4000;

/// What is to be sent.
pub(super) struct Draft {
    /// E.164.
    pub(super) to: String,
    pub(super) sender: Sender,
    pub(super) body: String,
    /// How many SMS the body takes.
    pub(super) segments: usize,
    /// Under which id the text is registered with the Indian operators.
    pub(super) dlt_template_id: Option<String>,
}

/// Who sends.
pub(super) enum Sender {
    /// A number, short code or alphanumeric id.
    Own(String),
    /// A Messaging Service, from the given number if there is one.
    Service {
        /// `MG` and 32 hexadecimal digits.
        sid: String,
        from: Option<String>,
    },
}

/// The fields of a form; the first of equal ones counts, and an empty one counts as missing.
struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, field: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == field)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Reads and checks the form. What is missing is told before what is wrong.
///
/// # Errors
/// Twilio's own error for the first thing that is not right.
pub(super) fn parse(body: &[u8], account: &Account) -> Result<(Draft, Option<Url>), ApiError> {
    let form = Form::parse(body);
    let to = form.get("To").ok_or_else(|| ApiError::refused(21604, "A 'To' phone number is required."))?;
    let (from, service) = (form.get("From"), form.get("MessagingServiceSid"));
    if from.is_none() && service.is_none() {
        return Err(ApiError::refused(21603, "A 'From' phone number is required."));
    }
    let body = form.get("Body").ok_or_else(|| ApiError::refused(21602, "Message body is required."))?;

    recipient::check(to)?;
    if let Some(from) = from {
        sender::check(from, account)?;
    }
    if from == Some(to) {
        return Err(ApiError::refused(21266, "'To' and 'From' number cannot be the same."));
    }
    if body.chars().count() > MAX_BODY {
        return Err(ApiError::refused(
            21617,
            format!("The concatenated message body exceeds the {MAX_BODY} character limit."),
        ));
    }
    form.get("ValidityPeriod").map_or(Ok(()), check_validity)?;
    let dlt_template_id = form.get("DltTemplateId").map(check_dlt_template).transpose()?;
    let callback = form.get("StatusCallback").map(parse_callback).transpose()?;

    let sender = match (service, from) {
        (Some(sid), from) => {
            Sender::Service { sid: sender::parse_service(sid)?, from: from.map(str::to_owned) }
        }
        (None, from) => Sender::Own(from.unwrap_or_default().to_owned()),
    };
    let draft = Draft {
        to: to.to_owned(),
        sender,
        segments: segments::count(body),
        body: body.to_owned(),
        dlt_template_id,
    };
    Ok((draft, callback))
}

fn check_validity(seconds: &str) -> Result<(), ApiError> {
    match seconds.parse::<u32>() {
        Ok(1..=MAX_VALIDITY) => Ok(()),
        _ => Err(ApiError::refused(
            21624,
            format!("Validity period can only be set to integers between 1 and {MAX_VALIDITY} seconds."),
        )),
    }
}

/// Up to 30 digits (twilio.com/docs/api/errors/21901).
fn check_dlt_template(id: &str) -> Result<String, ApiError> {
    if id.len() <= 30 && id.bytes().all(|b| b.is_ascii_digit()) {
        Ok(id.to_owned())
    } else {
        Err(ApiError::refused(21901, "DltTemplateId is invalid."))
    }
}

/// A full `http` or `https` address whose host has no underscores (twilio.com/docs/api/errors/21609).
fn parse_callback(text: &str) -> Result<Url, ApiError> {
    let proper = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && match url.host() {
                Some(Host::Domain(domain)) => !domain.contains('_'),
                Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
                None => false,
            }
    };
    Some(text)
        .filter(|text| text.chars().count() <= MAX_URL)
        .and_then(|text| Url::parse(text).ok())
        .filter(proper)
        .ok_or_else(|| ApiError::refused(21609, "The 'StatusCallback' URL is not a valid URL."))
}
