//! One-time codes: six digits sent to a contact, that prove whoever enters them reads it.
//!
//! Invariants:
//! - The code is kept as a keyed digest bound to its id, contact and purpose; the contact as a fingerprint.
//! - One code per contact and purpose is alive; a new one takes its place.
//! - A guess is evaluated only after the row itself admitted it: at most five per code, however many at once.
//! - A code works once.

mod check;
mod code;
mod issue;
mod rows;
mod rules;

use chrono::TimeDelta;
use kernel::UserId;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use check::{Guess, check_in_txn};
pub use code::OtpCode;
pub(crate) use rows::forget_old_in_txn;

/// What a code is good for. A code for one thing is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Logging in with the contact.
    Login,
    /// Making the contact this person's own.
    ContactChange(UserId),
}

/// A code that was made and must now be sent. It is shown to the sender alone: put it into no job, event or log.
#[derive(Debug)]
pub struct IssuedOtp {
    /// Its id, to forget it by when it could not be sent.
    pub id: Uuid,
    /// The six digits.
    pub code: SecretString,
    /// How long it is valid.
    pub expires_in: TimeDelta,
    /// After how long another may be asked for.
    pub resend_after: TimeDelta,
}

impl IssuedOtp {
    /// What the one who asked is told.
    pub fn view(&self) -> OtpSentView {
        OtpSentView {
            expires_in: self.expires_in.num_seconds(),
            resend_after: self.resend_after.num_seconds(),
        }
    }
}

/// A code is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtpSentView {
    /// Seconds for which the code is valid.
    #[schema(example = 300)]
    pub expires_in: i64,
    /// Seconds after which another may be asked for.
    #[schema(example = 30)]
    pub resend_after: i64,
}
