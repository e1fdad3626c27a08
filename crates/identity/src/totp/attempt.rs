//! Evaluating a code under the limit on wrong ones.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::UserId;
use sea_orm::DatabaseTransaction;

use super::StepUpCode;
use super::rows::{self, Factor};
use super::rules::accepted_step;
use crate::counters::{Limit, Taken, give_back_in_txn, take_in_txn};
use crate::{Identity, IdentityError, OtpCode};

/// Wrong codes in [`WINDOW`].
const MAX_WRONG: u32 = 5;
const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// What came of a code. Whatever it was, the transaction must commit, or the attempt would not count.
pub(super) enum Attempt {
    Right,
    Wrong,
    TooMany { retry_after: Duration },
}

impl Attempt {
    /// The answer to somebody whose code was not right.
    pub(super) fn refused(self) -> Result<(), IdentityError> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(IdentityError::WrongCode),
            Self::TooMany { retry_after } => Err(IdentityError::TooManyCodes { retry_after }),
        }
    }
}

impl Identity {
    /// Evaluates a code for the person's authenticator, whose row is locked, and uses it up.
    pub(super) async fn attempt_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, factor): (UserId, &Factor),
        code: &StepUpCode,
        now: DateTime<Utc>,
    ) -> Result<Attempt, IdentityError> {
        let subject = user.to_string();
        let wrong = Limit { scope: "totp_wrong", subject: &subject, max: MAX_WRONG, window: WINDOW };
        // Counted as wrong before it is looked at, so that the limit holds for parallel attempts too.
        if let Taken::Full { retry_after } = take_in_txn(txn, wrong, now).await? {
            return Ok(Attempt::TooMany { retry_after });
        }
        let right = match code {
            StepUpCode::Totp(code) => self.accept_in_txn(txn, (user, factor), code, now).await?,
            StepUpCode::Recovery(code) => {
                let hash = code.hash(&self.config().keys.pepper, user);
                rows::use_recovery_code_in_txn(txn, user, &hash, now).await?
            }
        };
        if right {
            give_back_in_txn(txn, wrong).await?;
            return Ok(Attempt::Right);
        }
        metrics::counter!("totp_wrong_codes_total").increment(1);
        Ok(Attempt::Wrong)
    }

    async fn accept_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, factor): (UserId, &Factor),
        code: &OtpCode,
        now: DateTime<Utc>,
    ) -> Result<bool, IdentityError> {
        let secret = self.config().keys.sealing.open(&rows::place(user), &factor.secret)?;
        match accepted_step(&secret, code, factor.last_step, now) {
            Some(step) => Ok(rows::accept_step_in_txn(txn, user, step).await?),
            None => Ok(false),
        }
    }
}
