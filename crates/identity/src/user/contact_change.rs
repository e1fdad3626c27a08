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

/// A contact that is somebody's own from now on.
#[derive(Debug)]
pub struct ContactChanged {
    /// The person as they are now.
    pub user: UserView,
    /// The verified contact of the same sort that they had before, which is to hear of it.
    pub former: Option<Contact>,
}

impl Identity {
    /// Makes the contact this person's own, given the code that was issued to it for
    /// [`Purpose::ContactChange`]. All their other sessions end.
    ///
    /// Whether the contact is another's is told only now, to somebody who reads what is sent to it. The inner result is
    /// the answer; the caller commits even when it is a refusal, or the guess would not count.
    ///
    /// # Errors
    /// Inside: [`WrongCode`](IdentityError::WrongCode) for every code that is not valid,
    /// [`OtpLocked`](IdentityError::OtpLocked) after too many wrong ones in a day. Outside, and nothing is to be kept:
    /// [`ContactTaken`](IdentityError::ContactTaken) when another account has the contact.
    pub async fn confirm_contact_change_in_txn(
        &self,
        txn: &DatabaseTransaction,
        who: (UserId, SessionId),
        contact: &Contact,
        code: &OtpCode,
    ) -> Result<Result<ContactChanged, IdentityError>, IdentityError> {
        let now = self.ambient.now();
        let subject = (contact, Purpose::ContactChange(who.0));
        match check_in_txn(txn, self.config(), subject, code, now).await? {
            Guess::Right => self.move_contact_in_txn(txn, who, contact, now).await.map(Ok),
            Guess::Wrong => Ok(Err(IdentityError::WrongCode)),
            Guess::Locked { retry_after } => Ok(Err(IdentityError::OtpLocked { retry_after })),
        }
    }

    async fn move_contact_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, session): (UserId, SessionId),
        contact: &Contact,
        now: DateTime<Utc>,
    ) -> Result<ContactChanged, IdentityError> {
        rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
        let (phone, email) = self.contact_of(txn, user).await?;
        let former = match contact {
            Contact::Phone(_) => phone.map(Contact::Phone),
            Contact::Email(_) => email.map(Contact::Email),
        };
        let facts = ContactFacts { user, contact, verified_at: now };
        rows::set_contact_in_txn(txn, facts).await.map_err(|error| {
            if error.is_unique_violation() { IdentityError::ContactTaken } else { error.into() }
        })?;
        self.end_all_in_txn(txn, user, Some(session), EndReason::ContactChanged).await?;
        append_event_in_txn(txn, &self.ambient, events::contact_changed(user, contact.kind())).await?;
        let user = rows::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)?;
        Ok(ContactChanged { user, former: former.filter(|former| former != contact) })
    }
}
