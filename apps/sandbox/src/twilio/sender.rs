//! Who a message can be sent from.

use super::account::Account;
use super::error::ApiError;
use super::recipient::is_e164;

/// Checks a `From`: an alphanumeric sender id, or a number or short code that the account owns. Two numbers are kept
/// by Twilio for trying out refusals (twilio.com/docs/iam/test-credentials).
///
/// # Errors
/// 21212 when it is none of these, 21606 when the account does not own it, 21611 when its queue is full.
pub(super) fn check(from: &str, account: &Account) -> Result<(), ApiError> {
    if from == "+15005550001" || !(is_e164(from) || is_short_code(from) || is_alphanumeric_id(from)) {
        return Err(ApiError::refused(
            21212,
            format!(
                "The 'From' number {from} is not a valid phone number, shortcode, or alphanumeric sender ID."
            ),
        ));
    }
    if from == "+15005550008" {
        return Err(ApiError::refused(
            21611,
            format!("This 'From' number {from} has exceeded the maximum number of queued messages"),
        ));
    }
    if !is_alphanumeric_id(from) && !account.owns(from) {
        return Err(ApiError::refused(
            21606,
            format!(
                "The From phone number {from} is not a valid, SMS-capable inbound phone number or short code for your account."
            ),
        ));
    }
    Ok(())
}

/// Reads a Messaging Service's SID.
///
/// # Errors
/// 21705 when it is not `MG` and 32 hexadecimal digits.
pub(super) fn parse_service(sid: &str) -> Result<String, ApiError> {
    let hexadecimal = |digits: &str| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if sid.strip_prefix("MG").is_some_and(hexadecimal) {
        Ok(sid.to_owned())
    } else {
        Err(ApiError::refused(21705, "The Messaging Service Sid is invalid."))
    }
}

fn is_short_code(from: &str) -> bool {
    (3..=8).contains(&from.len()) && from.bytes().all(|b| b.is_ascii_digit())
}

/// Up to 11 letters, digits and blanks with at least one letter (twilio.com/docs/glossary/what-alphanumeric-sender-id).
fn is_alphanumeric_id(from: &str) -> bool {
    (1..=11).contains(&from.len())
        && from.bytes().all(|b| b.is_ascii_alphanumeric() || b" +-_&".contains(&b))
        && from.bytes().any(|b| b.is_ascii_alphabetic())
}
