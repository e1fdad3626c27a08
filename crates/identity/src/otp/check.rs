//! Evaluating a guess.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use store::StoreError;
use subtle::ConstantTimeEq;

use super::rules::{code_digest, slot, wrong_guesses};
use super::{OtpCode, Purpose, rows};
use crate::counters::{Taken, give_back_in_txn, take_in_txn};
use crate::{Contact, IdentityConfig};

/// What came of a guess. Whatever it was, the transaction must commit, or the guess would not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It was the code, which is now used up.
    Right,
    /// It was not, or there is no code to guess.
    Wrong,
    /// Too many wrong guesses were made at this contact's codes; this one was not evaluated.
    Locked {
        /// How long that lasts.
        retry_after: Duration,
    },
}

/// Evaluates the guess if the code admits it.
pub(crate) async fn check_in_txn(
    txn: &DatabaseTransaction,
    config: &IdentityConfig,
    (contact, purpose): (&Contact, Purpose),
    guess: &OtpCode,
    now: DateTime<Utc>,
) -> Result<Guess, StoreError> {
    let pepper = &config.keys.pepper;
    let slot = slot(pepper, contact, purpose);
    let Some((id, code_hash)) = rows::of_slot(txn, &slot).await? else {
        return Ok(Guess::Wrong);
    };
    if !rows::admit_guess_in_txn(txn, id, now).await? {
        return Ok(Guess::Wrong);
    }
    // Counted as wrong before it is looked at, so that the day's limit holds for parallel guesses too.
    let fingerprint = contact.fingerprint(pepper);
    let wrong = wrong_guesses(&fingerprint, &config.otp);
    if let Taken::Full { retry_after } = take_in_txn(txn, wrong, now).await? {
        return Ok(Guess::Locked { retry_after });
    }
    let digest = hex::encode(code_digest(pepper, id, &slot, guess));
    let right = bool::from(digest.as_bytes().ct_eq(code_hash.as_bytes()));
    let result = if right { "right" } else { "wrong" };
    metrics::counter!("otp_guesses_evaluated_total", "result" => result).increment(1);
    if right && rows::use_in_txn(txn, id, now).await? {
        give_back_in_txn(txn, wrong).await?;
        return Ok(Guess::Right);
    }
    Ok(Guess::Wrong)
}
