//! The vectors of RFC 6238 appendix B, the tolerance, and that an accepted step is not accepted again.

use super::*;

const SECRET: &[u8] = b"12345678901234567890";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn step(code: &str, last_step: i64, seconds: i64) -> Option<i64> {
    accepted_step(SECRET, &OtpCode::parse(code).unwrap(), last_step, at(seconds))
}

/// The SHA-1 column, its last six digits.
#[test]
fn the_vectors_of_rfc_6238_are_accepted() {
    for (seconds, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(step(code, NO_STEP, seconds), Some(seconds / 30), "{seconds}");
    }
}

#[test]
fn a_code_is_accepted_one_step_early_or_late_and_no_more() {
    let (code, seconds) = ("005924", 1_234_567_890);
    let own = seconds / 30;
    assert_eq!(step(code, NO_STEP, (own - 1) * 30), Some(own));
    assert_eq!(step(code, NO_STEP, (own + 2) * 30 - 1), Some(own));
    assert_eq!(step(code, NO_STEP, (own - 1) * 30 - 1), None);
    assert_eq!(step(code, NO_STEP, (own + 2) * 30), None);
}

#[test]
fn a_step_is_accepted_once() {
    let (code, seconds) = ("005924", 1_234_567_890);
    assert_eq!(step(code, seconds / 30, seconds), None);
    assert_eq!(step(code, seconds / 30 - 1, seconds), Some(seconds / 30));
}

#[test]
fn an_authenticator_app_can_read_the_url() {
    let (secret, url) = enrolment(SECRET, "DGT Marketplace", "+91******3210").unwrap();
    assert_eq!(secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert!(url.expose().starts_with("otpauth://totp/DGT%20Marketplace:"), "{}", url.expose());
    assert!(url.expose().contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    assert!(enrolment(SECRET, "with: colon", "a").is_err());
}
