//! Forgetting what is over: old codes, closed counting windows, ended sessions.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use store::Engine;

use crate::{Identity, IdentityError, otp, session};

/// How long an ended session is kept, to tell its owner and staff of it.
const SESSIONS_KEPT: TimeDelta = TimeDelta::days(30);
/// How long a code is kept after its time.
const CODES_KEPT: TimeDelta = TimeDelta::days(1);

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tidied {
    /// One-time codes.
    pub codes: u64,
    /// Counters whose window had ended.
    pub counters: u64,
    /// Sessions that had ended.
    pub sessions: u64,
}

impl Identity {
    /// Removes what is over. For a job that runs now and then; doing it again changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tidy(&self) -> Result<Tidied, IdentityError> {
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                let closed = Engine::of(txn.get_database_backend())
                    .statement("DELETE FROM identity_counters WHERE window_ends_at <= ?", [now.into()]);
                Ok(Tidied {
                    codes: otp::forget_old_in_txn(txn, now - CODES_KEPT).await?,
                    counters: txn.execute_raw(closed).await?.rows_affected(),
                    sessions: session::forget_old_in_txn(txn, now - SESSIONS_KEPT).await?,
                })
            })
            .await
    }
}
