//! What a failed conversation means. The server's own words may name the recipient, so only its codes are taken.

use std::error::Error as _;
use std::io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};

use lettre::transport::smtp::Error;

use crate::SendError;

/// Reads lettre's error.
pub(super) fn read(error: &Error) -> SendError {
    match error.status().map(u16::from) {
        // A temporary refusal: the mail was not taken (RFC 5321 §4.2.1).
        Some(code @ 400..500) => SendError::NotSent { code: Some(code.into()), retry_after: None },
        Some(code) => refusal(code.into()),
        None if error.is_client() || error.is_tls() => SendError::Misconfigured { code: 0 },
        None if was_never_connected(error) => SendError::NotSent { code: None, retry_after: None },
        None => SendError::Unknown,
    }
}

/// Permanent refusals of the mailbox, its host or its content (RFC 5321 §4.2.3, RFC 7504) speak of the recipient;
/// the rest, among them wrong credentials (RFC 4954 §6), speaks of us.
fn refusal(code: u32) -> SendError {
    match code {
        521 | 550..=554 | 556 => SendError::Refused { code },
        _ => SendError::Misconfigured { code },
    }
}

/// lettre does not tell at which step a conversation broke off, so only failures that come before any word of it
/// count as surely not sent.
fn was_never_connected(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return matches!(
                io.kind(),
                ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
            );
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_the_mailbox_are_told_from_those_of_us() {
        for code in [521, 550, 551, 552, 553, 554, 556] {
            assert_eq!(refusal(code), SendError::Refused { code });
        }
        for code in [500, 501, 502, 503, 504, 530, 534, 535, 538, 555] {
            assert_eq!(refusal(code), SendError::Misconfigured { code });
        }
    }
}
