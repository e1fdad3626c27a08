//! Which numbers can be sent to.

use super::error::ApiError;

/// Checks a `To`: an E.164 number, a mobile one if it is Indian, and none of the numbers that Twilio keeps for
/// trying out refusals (twilio.com/docs/iam/test-credentials).
///
/// # Errors
/// 21211 when it is no valid number, 21614 when it is a landline, and what the reserved numbers stand for.
pub(super) fn check(to: &str) -> Result<(), ApiError> {
    let shown = masked(to);
    let refusal = match to {
        "+15005550002" => (
            21612,
            format!(
                "The 'To' phone number: {shown}, is not currently reachable using the 'From' phone number."
            ),
        ),
        "+15005550003" => (
            21408,
            format!(
                "Permission to send an SMS has not been enabled for the region of the 'To' number: {shown}."
            ),
        ),
        "+15005550004" => (21610, "Attempt to send to unsubscribed recipient".to_owned()),
        "+15005550009" => return Err(landline(&shown)),
        "+15005550001" => return Err(invalid(&shown)),
        _ if !is_e164(to) => return Err(invalid(&shown)),
        _ => return check_indian(to, &shown),
    };
    Err(ApiError::refused(refusal.0, refusal.1))
}

/// `+`, a country code that does not start with 0, and at most 15 digits in all (ITU-T E.164).
pub(super) fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// Indian numbers have ten digits after the country code, and mobile ones start with 6 to 9.
fn check_indian(to: &str, shown: &str) -> Result<(), ApiError> {
    match to.strip_prefix("+91") {
        Some(national) if national.len() != 10 || national.starts_with(['0', '1']) => Err(invalid(shown)),
        Some(national) if national.starts_with(['2', '3', '4', '5']) => Err(landline(shown)),
        Some(_) | None => Ok(()),
    }
}

fn invalid(shown: &str) -> ApiError {
    ApiError::refused(21211, format!("Invalid 'To' Phone Number: {shown}"))
}

fn landline(shown: &str) -> ApiError {
    ApiError::refused(21614, format!("To number: {shown}, is not a mobile number"))
}

/// The number with its last four characters hidden, as Twilio repeats it.
fn masked(number: &str) -> String {
    let kept = number.chars().count().saturating_sub(4);
    let mut shown: String = number.chars().take(kept).collect();
    shown.push_str("XXXX");
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobile_numbers_can_be_sent_to() {
        for to in ["+919876543210", "+14155550100", "+447700900123"] {
            assert!(check(to).is_ok(), "{to}");
        }
    }

    #[test]
    fn what_is_no_number_in_e164_cannot() {
        for to in [
            "9876543210",
            "919876543210",
            "+91 9876543210",
            "+0123456789",
            "+91987654321",
            "+9198765432101",
            "+1234567890123456",
            "asha",
            "whatsapp:+919876543210",
            "+911234567890",
        ] {
            assert!(check(to).is_err(), "{to}");
        }
    }

    #[test]
    fn a_refusal_hides_the_end_of_the_number() {
        assert_eq!(masked("+91987654321"), "+9198765XXXX");
        assert_eq!(masked("12"), "XXXX");
    }
}
