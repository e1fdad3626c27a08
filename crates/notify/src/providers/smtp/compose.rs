//! A mail as it goes over the wire.

use chrono::{DateTime, Utc};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use secrecy::ExposeSecret;

use crate::{MailMessage, SendError};

/// Tells other systems not to answer: nobody reads replies (RFC 3834 §5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Where to unsubscribe (RFC 2369 §3.2), and that one `POST` does it (RFC 8058 §3.1).
const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");
const LIST_UNSUBSCRIBE_POST: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe-Post");

/// The mail with its `Message-ID`, which is made of the message's own id and the sender's domain.
pub(super) fn mail(
    from: &Mailbox,
    message: &MailMessage,
    now: DateTime<Utc>,
) -> Result<(String, Message), SendError> {
    // 553 is SMTP's own word for a mailbox name that is not allowed (RFC 5321 §4.2.3).
    let to: Address = message.to.as_str().parse().ok().ok_or(SendError::Refused { code: 553 })?;
    let message_id = format!("<{}@{}>", message.id, from.email.domain());
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(message.subject.as_str())
        .date(now.into())
        .message_id(Some(message_id.clone()))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
    if let Some(url) = &message.unsubscribe {
        let click = "List-Unsubscribe=One-Click".to_owned();
        builder = builder
            .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE, format!("<{url}>")))
            .raw_header(HeaderValue::new(LIST_UNSUBSCRIBE_POST, click));
    }
    let text = message.text.expose_secret().to_owned();
    let mail = match &message.html {
        Some(html) => {
            let html = html.expose_secret().to_owned();
            builder.multipart(MultiPart::alternative_plain_html(text, html))
        }
        None => builder.singlepart(SinglePart::plain(text)),
    };
    // Only headers that are missing or contradictory fail here, and all of them are set above.
    let mail = mail.ok().ok_or(SendError::Faulty { code: 0 })?;
    Ok((message_id, mail))
}

#[cfg(test)]
mod tests {
    use kernel::Email;
    use uuid::Uuid;

    use super::*;

    fn message(subject: &str, html: Option<&str>) -> MailMessage {
        MailMessage {
            id: Uuid::nil(),
            to: Email::parse("asha@example.in").unwrap(),
            subject: subject.to_owned(),
            text: "नमस्ते 123456".into(),
            html: html.map(Into::into),
            unsubscribe: None,
        }
    }

    fn wire(message: &MailMessage) -> (String, String) {
        let from: Mailbox = "DGT <no-reply@dgt.example>".parse().unwrap();
        let (id, mail) = mail(&from, message, "2026-01-01T03:30:00Z".parse().unwrap()).unwrap();
        (id, String::from_utf8(mail.formatted()).unwrap())
    }

    #[test]
    fn a_mail_carries_our_id_and_our_time() {
        let (id, wire) = wire(&message("Hello", None));
        assert_eq!(id, "<00000000-0000-0000-0000-000000000000@dgt.example>");
        assert!(wire.contains(&format!("Message-ID: {id}\r\n")), "{wire}");
        assert!(wire.contains("Date: Thu, 01 Jan 2026 03:30:00 +0000\r\n"), "{wire}");
        assert!(wire.contains("Auto-Submitted: auto-generated\r\n"), "{wire}");
    }

    #[test]
    fn html_comes_as_the_second_of_two_forms() {
        let (_, wire) = wire(&message("Hello", Some("<p>x</p>")));
        let plain = wire.find("Content-Type: text/plain").unwrap();
        let html = wire.find("Content-Type: text/html").unwrap();
        assert!(wire.contains("multipart/alternative") && plain < html, "{wire}");
    }

    #[test]
    fn one_click_unsubscribes() {
        let url = Some("https://dgt.example/api/unsubscribe?token=abc".parse().unwrap());
        let (_, wire) = wire(&MailMessage { unsubscribe: url, ..message("Hello", None) });
        assert!(
            wire.contains("List-Unsubscribe: <https://dgt.example/api/unsubscribe?token=abc>\r\n"),
            "{wire}"
        );
        assert!(wire.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{wire}");
    }

    #[test]
    fn a_subject_cannot_add_a_header() {
        let (_, wire) = wire(&message("Hello\r\nBcc: eve@example.in\r\n\r\nbody", None));
        assert!(!wire.contains("\r\nBcc:"), "{wire}");
    }
}
