//! Proving that an authenticator was set up.

use kernel::{Actor, Caller};
use store::audit;

use super::enrol::{entry, staff_member};
use super::{StepUpCode, TotpConfirmed, recovery, rows};
use crate::session::step_up_in_txn;
use crate::{Identity, IdentityError, OtpCode};

impl Identity {
    /// Confirms the caller's authenticator by a code of it, which counts as a step-up too, and gives recovery
    /// codes.
    ///
    /// # Errors
    /// [`WrongCode`](IdentityError::WrongCode), [`TooManyCodes`](IdentityError::TooManyCodes),
    /// [`TotpNotEnrolled`](IdentityError::TotpNotEnrolled) or
    /// [`TotpAlreadyConfirmed`](IdentityError::TotpAlreadyConfirmed).
    pub async fn confirm_totp(
        &self,
        caller: &Caller,
        code: &OtpCode,
    ) -> Result<TotpConfirmed, IdentityError> {
        let user = staff_member(caller)?;
        let Actor::Person { session, .. } = caller.actor else {
            return Err(IdentityError::StaffOnly);
        };
        let now = self.ambient.now();
        let until = now + self.config().step_up_life;
        let code = StepUpCode::Totp(code.clone());
        let (shown, hashes) = recovery::fresh(&self.ambient, &self.config().keys.pepper, user);
        // The inner result is the answer; it commits even when it is a refusal, or the attempt would not count.
        let answer: Result<(), IdentityError> = self
            .db
            .in_txn(async |txn| {
                let factor = rows::lock_factor(txn, user).await?.ok_or(IdentityError::TotpNotEnrolled)?;
                if factor.confirmed {
                    return Err(IdentityError::TotpAlreadyConfirmed);
                }
                let attempt = self.attempt_in_txn(txn, (user, &factor), &code, now).await?;
                if let Err(refusal) = attempt.refused() {
                    return Ok(Err(refusal));
                }
                rows::confirm_in_txn(txn, user, &hashes, now).await?;
                if !step_up_in_txn(txn, (user, session), until).await? {
                    return Err(IdentityError::SessionEnded);
                }
                audit::append_in_txn(txn, &self.ambient, entry(caller, user, "totp.confirmed")).await?;
                Ok(Ok(()))
            })
            .await?;
        answer.map(|()| TotpConfirmed { recovery_codes: shown, stepped_up_until: until })
    }
}
