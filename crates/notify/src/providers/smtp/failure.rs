//! What a failed conversation means, by how far it had come. The server's own words may name the recipient, so only
//! its codes are taken.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error;
use tokio::time::timeout;

use crate::SendError;

/// It did not leave, and no server says why.
pub(super) const NOT_SENT: SendError = SendError::NotSent { code: None, retry_after: None };

/// Takes one step of the conversation, within its time. A step that takes longer breaks the conversation.
pub(super) async fn step<T>(
    patience: Duration,
    taken: impl Future<Output = Result<T, Error>>,
    read: fn(Option<&Error>) -> SendError,
) -> Result<T, SendError> {
    match timeout(patience, taken).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(read(Some(&error))),
        Err(_) => Err(read(None)),
    }
}

/// Before a mail was begun: name, connection, TLS, greeting and login. A permanent refusal speaks of us.
pub(super) fn before_mail(error: Option<&Error>) -> SendError {
    match code(error) {
        Some(code @ 400..500) => temporary(code),
        Some(code) => SendError::Misconfigured { code },
        None => {
            if let Some(problem) = error.and_then(distrust) {
                tracing::error!(
                    %problem,
                    "TLS with the mail server failed: check its certificate, the host in the URL, and CA_FILE"
                );
            }
            unanswered(error)
        }
    }
}

/// Why TLS did not come to stand. It may be mended at the server, so the mail is tried again.
fn distrust(error: &Error) -> Option<&rustls::Error> {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    // An I/O error hides what is in it from those who ask for its cause.
    causes.find_map(|cause| cause.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref())
}

/// Between `MAIL` and the server's consent to hear the text: nothing of it has left.
pub(super) fn before_text(error: Option<&Error>) -> SendError {
    code(error).map_or_else(|| unanswered(error), refusal)
}

/// After the text has left: a server that says no has not taken it, and of one that says nothing nobody knows.
pub(super) fn after_text(error: Option<&Error>) -> SendError {
    code(error).map_or(SendError::Unknown, refusal)
}

fn code(error: Option<&Error>) -> Option<u32> {
    error?.status().map(|code| u16::from(code).into())
}

/// What lettre refuses by itself, such as a server without STARTTLS, a person must look at; all else may pass.
fn unanswered(error: Option<&Error>) -> SendError {
    if error.is_some_and(|error| error.is_client() || error.is_tls()) {
        return SendError::Misconfigured { code: 0 };
    }
    NOT_SENT
}

/// A temporary refusal: the mail was not taken (RFC 5321 §4.2.1).
fn temporary(code: u32) -> SendError {
    SendError::NotSent { code: Some(code), retry_after: None }
}

/// Permanent refusals of the mailbox, its host or its content (RFC 5321 §4.2.3, RFC 7504) speak of the recipient;
/// missing or wrong credentials (RFC 4954 §6) of us, and the rest of this mail.
fn refusal(code: u32) -> SendError {
    match code {
        400..500 => temporary(code),
        521 | 550..=554 | 556 => SendError::Refused { code },
        530 | 534 | 535 | 538 => SendError::Misconfigured { code },
        _ => SendError::Faulty { code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_the_mailbox_are_told_from_those_of_us() {
        for code in [521, 550, 551, 552, 553, 554, 556] {
            assert_eq!(refusal(code), SendError::Refused { code });
        }
        for code in [530, 534, 535, 538] {
            assert_eq!(refusal(code), SendError::Misconfigured { code });
        }
        for code in [500, 501, 502, 503, 504, 555] {
            assert_eq!(refusal(code), SendError::Faulty { code });
        }
        assert_eq!(refusal(451), SendError::NotSent { code: Some(451), retry_after: None });
    }

    #[test]
    fn only_after_the_text_has_left_does_silence_leave_it_unknown() {
        assert_eq!(before_mail(None), NOT_SENT);
        assert_eq!(before_text(None), NOT_SENT);
        assert_eq!(after_text(None), SendError::Unknown);
    }
}
