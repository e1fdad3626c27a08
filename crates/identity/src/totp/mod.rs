//! The second factor of staff: an authenticator app (TOTP, RFC 6238) and recovery codes.
//!
//! Invariants:
//! - The secret is sealed for its row; recovery codes are kept as keyed digests.
//! - A code works once: the last accepted step only ever grows.
//! - Five wrong codes in five minutes lock a person out for the rest of them, however many come at once.

mod attempt;
mod confirm;
mod enrol;
mod recovery;
mod reseal;
mod reset;
mod rows;
mod rules;
mod step_up;

use chrono::{DateTime, Utc};
use kernel::ParseError;
use serde::Serialize;
use utoipa::ToSchema;

pub use recovery::RecoveryCode;

use crate::{OtpCode, SecretText};

/// An authenticator to be set up; it counts once a code of it is confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotpEnrolment {
    /// The shared secret in base32, for entering by hand.
    #[schema(value_type = String, example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: SecretText,
    /// The same as a URL, for showing as a QR code.
    #[schema(
        value_type = String,
        example = "otpauth://totp/DGT%20Marketplace:Asha?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=DGT%20Marketplace"
    )]
    pub otpauth_url: SecretText,
}

/// An authenticator was confirmed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TotpConfirmed {
    /// Codes that stand in for the authenticator once each. They are shown this once.
    #[schema(value_type = Vec<String>, example = json!(["abcd-efgh-jkmn"]))]
    pub recovery_codes: Vec<SecretText>,
    /// Until when the session may decide what needs a fresh code.
    pub stepped_up_until: DateTime<Utc>,
}

/// The session may decide what needs a fresh code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SteppedUp {
    /// Until when.
    pub stepped_up_until: DateTime<Utc>,
}

/// What somebody enters to step up.
#[derive(Debug, Clone)]
pub enum StepUpCode {
    /// Six digits from the authenticator.
    Totp(OtpCode),
    /// A recovery code, when the authenticator is lost.
    Recovery(RecoveryCode),
}

impl StepUpCode {
    /// Reads either.
    ///
    /// # Errors
    /// When it has the form of neither.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if let Ok(code) = OtpCode::parse(text) {
            return Ok(Self::Totp(code));
        }
        match RecoveryCode::parse(text) {
            Some(code) => Ok(Self::Recovery(code)),
            None => Err(ParseError::new("invalid_code_format", "must be six digits or a recovery code")),
        }
    }
}
