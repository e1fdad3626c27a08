//! Entering a fresh code before deciding what needs one.

use kernel::{Actor, Caller};
use store::audit;

use super::enrol::{entry, staff_member};
use super::{StepUpCode, SteppedUp, rows};
use crate::session::step_up_in_txn;
use crate::{Identity, IdentityError};

impl Identity {
    /// Lets the caller's session decide what needs a fresh code, for five minutes.
    ///
    /// # Errors
    /// [`WrongCode`](IdentityError::WrongCode), [`TooManyCodes`](IdentityError::TooManyCodes), or
    /// [`TotpEnrolmentRequired`](IdentityError::TotpEnrolmentRequired) without a confirmed authenticator.
    pub async fn step_up(&self, caller: &Caller, code: &StepUpCode) -> Result<SteppedUp, IdentityError> {
        let user = staff_member(caller)?;
        let Actor::Person { session, .. } = caller.actor else {
            return Err(IdentityError::StaffOnly);
        };
        let now = self.ambient.now();
        let until = now + self.config().step_up_life;
        // The inner result is the answer; it commits even when it is a refusal, or the attempt would not count.
        let answer: Result<(), IdentityError> = self
            .db
            .in_txn(async |txn| {
                let factor = rows::lock_factor(txn, user).await?.filter(|factor| factor.confirmed);
                let factor = factor.ok_or(IdentityError::TotpEnrolmentRequired)?;
                let attempt = self.attempt_in_txn(txn, (user, &factor), code, now).await?;
                if let Err(refusal) = attempt.refused() {
                    return Ok(Err(refusal));
                }
                if !step_up_in_txn(txn, (user, session), until).await? {
                    return Err(IdentityError::SessionEnded);
                }
                if matches!(code, StepUpCode::Recovery(_)) {
                    let entry = entry(caller, user, "totp.recovery_code_used");
                    audit::append_in_txn(txn, &self.ambient, entry).await?;
                }
                Ok(Ok(()))
            })
            .await?;
        answer.map(|()| SteppedUp { stepped_up_until: until })
    }
}
