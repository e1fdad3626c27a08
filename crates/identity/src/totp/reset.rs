//! Taking a lost authenticator away, so that its owner can set up another.

use kernel::{Caller, UserId};
use store::audit;

use super::enrol::entry;
use super::rows;
use crate::session::EndReason;
use crate::user::{check_role_change, rows as users};
use crate::{Identity, IdentityError};

impl Identity {
    /// Removes somebody's authenticator and recovery codes, and ends their sessions. Whoever may appoint staff may
    /// do it, but not to themselves.
    ///
    /// # Errors
    /// [`NotAllowed`](IdentityError::NotAllowed) or [`OwnAccount`](IdentityError::OwnAccount) when the caller may
    /// not, [`TotpNotEnrolled`](IdentityError::TotpNotEnrolled) when there is none.
    pub async fn reset_totp(&self, caller: &Caller, user: UserId) -> Result<(), IdentityError> {
        self.db
            .in_txn(async |txn| {
                let target = users::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
                check_role_change(&caller.actor, &target)?;
                if !rows::remove_in_txn(txn, user).await? {
                    return Err(IdentityError::TotpNotEnrolled);
                }
                self.end_all_in_txn(txn, user, None, EndReason::TotpReset).await?;
                audit::append_in_txn(txn, &self.ambient, entry(caller, user, "totp.reset")).await?;
                Ok(())
            })
            .await
    }
}
