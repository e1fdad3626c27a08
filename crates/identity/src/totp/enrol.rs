//! Setting up an authenticator.

use kernel::{Caller, Role, UserId};
use serde_json::json;
use store::audit;

use super::TotpEnrolment;
use super::rows;
use super::rules::{SECRET_BYTES, enrolment};
use crate::user::rows as users;
use crate::{Identity, IdentityError, UserView};

impl Identity {
    /// Begins to set up an authenticator for the caller: makes a secret, which counts once a code of it is
    /// confirmed. Until then this may be done again.
    ///
    /// # Errors
    /// [`StaffOnly`](IdentityError::StaffOnly) when the caller is no staff,
    /// [`TotpAlreadyConfirmed`](IdentityError::TotpAlreadyConfirmed) when there is one that counts.
    pub async fn enrol_totp(&self, caller: &Caller) -> Result<TotpEnrolment, IdentityError> {
        let user = staff_member(caller)?;
        let now = self.ambient.now();
        let secret: [u8; SECRET_BYTES] = self.ambient.random_bytes();
        let keys = &self.config().keys.sealing;
        self.db
            .in_txn(async |txn| {
                users::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
                let before = rows::lock_factor(txn, user).await?;
                if before.is_some_and(|factor| factor.confirmed) {
                    return Err(IdentityError::TotpAlreadyConfirmed);
                }
                let sealed = keys.seal(&self.ambient, &rows::place(user), &secret)?;
                rows::replace_factor_in_txn(txn, user, sealed, now).await?;
                audit::append_in_txn(txn, &self.ambient, entry(caller, user, "totp.enrolled")).await?;
                let profile =
                    users::find(txn, user, self.config()).await?.ok_or(IdentityError::UserNotFound)?;
                let (secret, otpauth_url) =
                    enrolment(&secret, &self.config().totp_issuer, &account(&profile))
                        .map_err(IdentityError::Crypto)?;
                Ok(TotpEnrolment { secret, otpauth_url })
            })
            .await
    }
}

/// The staff member who acts.
pub(super) fn staff_member(caller: &Caller) -> Result<UserId, IdentityError> {
    let actor = &caller.actor;
    match (actor.user(), actor.role().is_some_and(Role::is_staff)) {
        (Some(user), true) => Ok(user),
        _ => Err(IdentityError::StaffOnly),
    }
}

/// A record of what happened to somebody's authenticator.
pub(super) fn entry<'a>(caller: &'a Caller, user: UserId, action: &'static str) -> audit::Entry<'a> {
    audit::Entry {
        caller,
        action,
        subject_kind: "user",
        subject_id: user.to_string(),
        before: json!({}),
        after: json!({}),
        reason: None,
    }
}

/// How the authenticator app tells this account from others: by its owner's name, or else their id.
fn account(profile: &UserView) -> String {
    let name: String = profile.name.chars().filter(|c| *c != ':').collect();
    if name.trim().is_empty() { profile.id.to_string() } else { name }
}
