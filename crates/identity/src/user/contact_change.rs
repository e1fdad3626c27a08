//! Changing one's phone number or e-mail address, proved by a code sent to the new one.

use chrono::{DateTime, Utc};
use kernel::{SessionId, UserId};
use sea_orm::DatabaseTransaction;
use store::append_event_in_txn;

use super::UserView;
use super::rows::{self, ContactFacts};
use crate::otp::{Guess, OtpCode, Purpose, check_in_txn};
use crate::session::EndReason;
use crate::{Contact, Identity, IdentityError, events};

impl Identity {
    /// Makes the contact this person's own, given the code that was issued to it for
    /// [`Purpose::ContactChange`]. All their other sessions end.
    ///
    /// Whether the contact is another's is told only now, to somebody who reads what is sent to it.
    ///
    /// # Errors
    /// [`WrongCode`](IdentityError::WrongCode) for every code that is not valid,
    /// [`OtpLocked`](IdentityError::OtpLocked) after too many wrong ones in a day,
    /// [`ContactTaken`](IdentityError::ContactTaken) when another account has the contact.
    pub async fn confirm_contact_change(
        &self,
        (user, session): (UserId, SessionId),
        contact: &Contact,
        code: &OtpCode,
    ) -> Result<UserView, IdentityError> {
        let now = self.ambient.now();
        // The inner result is the answer; it commits even when it is a refusal, or the guess would not count.
        self.db
            .in_txn(async |txn| {
                let subject = (contact, Purpose::ContactChange(user));
                match check_in_txn(txn, self.config(), subject, code, now).await? {
                    Guess::Right => {
                        self.move_contact_in_txn(txn, (user, session), contact, now).await.map(Ok)
                    }
                    Guess::Wrong => Ok(Err(IdentityError::WrongCode)),
                    Guess::Locked { retry_after } => Ok(Err(IdentityError::OtpLocked { retry_after })),
                }
            })
            .await?
    }

    async fn move_contact_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, session): (UserId, SessionId),
        contact: &Contact,
        now: DateTime<Utc>,
    ) -> Result<UserView, IdentityError> {
        rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
        let facts = ContactFacts { user, contact, verified_at: now };
        rows::set_contact_in_txn(txn, facts).await.map_err(|error| {
            if error.is_unique_violation() { IdentityError::ContactTaken } else { error.into() }
        })?;
        self.end_all_in_txn(txn, user, Some(session), EndReason::ContactChanged).await?;
        append_event_in_txn(txn, &self.ambient, events::contact_changed(user, contact.kind())).await?;
        rows::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)
    }
}
