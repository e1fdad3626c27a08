//! Time-based codes (RFC 6238): SHA-1, six digits, steps of 30 seconds, one step of tolerance on either side.

use chrono::{DateTime, Utc};
use totp_rs::{Builder, Totp};

use crate::{OtpCode, SecretText};

/// Bytes of a secret: 160 bits, as RFC 4226 §4 recommends.
pub(super) const SECRET_BYTES: usize = 20;

/// What stands for "no step was accepted yet".
pub(super) const NO_STEP: i64 = -1;

/// The step that the code belongs to, if it is one of the three around now and later than the last accepted one.
pub(super) fn accepted_step(
    secret: &[u8],
    code: &OtpCode,
    last_step: i64,
    now: DateTime<Utc>,
) -> Option<i64> {
    let seconds = u64::try_from(now.timestamp()).ok()?;
    let step = totp(secret).build_noncompliant().check(code.digits(), seconds)?;
    i64::try_from(step).ok().filter(|step| *step > last_step)
}

/// How an authenticator app is told of the secret: in base32, and as a URL.
pub(super) fn enrolment(
    secret: &[u8],
    issuer: &str,
    account: &str,
) -> Result<(SecretText, SecretText), String> {
    let totp: Totp = totp(secret)
        .with_issuer(Some(issuer))
        .with_account_name(account)
        .build()
        .map_err(|error| error.to_string())?;
    let url = totp.to_url().map_err(|error| error.to_string())?;
    Ok((SecretText::new(totp.secret().to_base32()), SecretText::new(url)))
}

fn totp(secret: &[u8]) -> Builder {
    Builder::new().with_secret(secret)
}

#[cfg(test)]
mod tests;
