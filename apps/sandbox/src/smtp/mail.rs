//! What a mail says: its subject and its body, decoded (RFC 5322, MIME).

use mail_parser::{MessageParser, PartType};

/// The part of a mail that people read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) subject: Option<String>,
    /// The plain text, or the HTML source when there is no plain text; lines end with a line feed.
    pub(super) body: String,
}

/// Reads a message. `None` when it has no header fields.
pub(super) fn parse(message: &[u8]) -> Option<Mail> {
    let message = MessageParser::default().parse(message)?;
    let body = message.text_part(0).map(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_ref(),
        _ => "",
    });
    let body = body.unwrap_or_default().replace("\r\n", "\n");
    Some(Mail {
        subject: message.subject().map(str::to_owned),
        // The last line's end belongs to the transport.
        body: body.strip_suffix('\n').unwrap_or(&body).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_preferred_to_html() {
        let message = b"Subject: =?utf-8?B?4KSo4KSu4KS44KWN4KSk4KWH?=\r\n\
            MIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative; boundary=x\r\n\r\n\
            --x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n\
            --x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>rich</p>\r\n--x--\r\n";
        let mail = parse(message).unwrap();
        assert_eq!(mail.subject.as_deref(), Some("नमस्ते"));
        assert_eq!(mail.body, "plain");
    }

    #[test]
    fn html_alone_is_kept_as_it_is() {
        let message = b"Subject: a\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n";
        assert_eq!(parse(message).unwrap().body, "<p>rich</p>");
    }

    #[test]
    fn without_a_header_it_is_no_mail() {
        assert_eq!(parse(b""), None);
    }
}
