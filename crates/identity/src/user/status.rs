//! Suspending, banning and readmitting people.

use chrono::{DateTime, Utc};
use kernel::{Caller, FieldErrors, InvalidInput, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::{append_event_in_txn, audit};

use super::rules::{Standing, Target, check_one_remains, check_status_change};
use super::{Reason, StaffUserView, UserStatus, rows};
use crate::session::EndReason;
use crate::{Identity, IdentityError, events};

/// What is to become of somebody's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// They may use the marketplace again.
    Activate,
    /// They may not until then.
    Suspend {
        /// When the suspension ends.
        until: DateTime<Utc>,
    },
    /// They may not any more.
    Ban,
}

impl StatusChange {
    /// Reads the fields `status` and `suspendedUntil` of a request.
    ///
    /// # Errors
    /// When the status is none that staff can set, or does not go with the time given.
    pub fn parse(status: &str, until: Option<DateTime<Utc>>) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        match (UserStatus::find(status), until) {
            (Some(UserStatus::Active), None) => return Ok(Self::Activate),
            (Some(UserStatus::Banned), None) => return Ok(Self::Ban),
            (Some(UserStatus::Suspended), Some(until)) => return Ok(Self::Suspend { until }),
            (Some(UserStatus::Suspended), None) => {
                errors.add("suspendedUntil", "required", "must say when the suspension ends");
            }
            (Some(UserStatus::Active | UserStatus::Banned), Some(_)) => {
                errors.add("suspendedUntil", "not_taken", "goes with the status SUSPENDED alone");
            }
            (Some(UserStatus::Deleted) | None, _) => {
                errors.add("status", "unknown_status", "must be one of ACTIVE, SUSPENDED, BANNED");
            }
        }
        Err(errors.into_error())
    }

    fn standing(self) -> Standing {
        let (status, suspended_until) = match self {
            Self::Activate => (UserStatus::Active, None),
            Self::Suspend { until } => (UserStatus::Suspended, Some(until)),
            Self::Ban => (UserStatus::Banned, None),
        };
        Standing { status, suspended_until }
    }
}

impl Identity {
    /// Changes somebody's standing. Blocking ends all their sessions in the same transaction, and `user.blocked` or
    /// `user.unblocked` tells the others.
    ///
    /// # Errors
    /// [`NotAllowed`](IdentityError::NotAllowed), [`OwnAccount`](IdentityError::OwnAccount) or
    /// [`Outranked`](IdentityError::Outranked) when the caller may not;
    /// [`LastSuperAdmin`](IdentityError::LastSuperAdmin) when nobody would be left to appoint staff.
    pub async fn set_status(
        &self,
        caller: &Caller,
        user: UserId,
        change: StatusChange,
        reason: &Reason,
    ) -> Result<StaffUserView, IdentityError> {
        self.db.in_txn(async |txn| self.set_status_in_txn(txn, caller, user, change, reason).await).await
    }

    /// [`set_status`](Self::set_status) in the caller's transaction.
    ///
    /// # Errors
    /// As there.
    pub async fn set_status_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        user: UserId,
        change: StatusChange,
        reason: &Reason,
    ) -> Result<StaffUserView, IdentityError> {
        let now = self.ambient.now();
        let super_admins = rows::lock_super_admins(txn).await?;
        let target = rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
        check_status_change(&caller.actor, &target, change, now)?;
        let standing = change.standing();
        if standing != target.standing {
            if standing.status != UserStatus::Active {
                check_one_remains(&super_admins, user)?;
            }
            self.write_standing_in_txn(txn, caller, &target, standing, reason).await?;
        }
        rows::find_for_staff(txn, user).await?.ok_or(IdentityError::UserNotFound)
    }

    /// Writes another standing, ends the sessions of one who is blocked, and tells the others.
    async fn write_standing_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        target: &Target,
        standing: Standing,
        reason: &Reason,
    ) -> Result<(), IdentityError> {
        let user = target.id;
        rows::set_status_in_txn(txn, user, standing, reason.as_str(), self.ambient.now()).await?;
        let is_blocked = standing.status != UserStatus::Active;
        let (action, event) = if is_blocked {
            ("user.blocked", events::blocked(user, standing.status, standing.suspended_until))
        } else {
            ("user.unblocked", events::unblocked(user))
        };
        append_event_in_txn(txn, &self.ambient, event).await?;
        // Afterwards: the end of a session cuts its sockets, which are to be told why before.
        if is_blocked {
            self.end_all_in_txn(txn, user, None, EndReason::Blocked).await?;
        }
        let entry = entry(caller, action, target, standing, reason);
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(())
    }
}

fn entry<'a>(
    caller: &'a Caller,
    action: &'static str,
    target: &Target,
    after: Standing,
    reason: &Reason,
) -> audit::Entry<'a> {
    let told =
        |standing: Standing| json!({"status": standing.status, "suspendedUntil": standing.suspended_until});
    audit::Entry {
        caller,
        action,
        subject_kind: "user",
        subject_id: target.id.to_string(),
        before: told(target.standing),
        after: told(after),
        reason: Some(reason.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_with_a_suspension_and_with_nothing_else() {
        let until: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(StatusChange::parse("ACTIVE", None).unwrap(), StatusChange::Activate);
        assert_eq!(StatusChange::parse("BANNED", None).unwrap(), StatusChange::Ban);
        assert_eq!(StatusChange::parse("SUSPENDED", Some(until)).unwrap(), StatusChange::Suspend { until });
        for (status, until, field) in [
            ("SUSPENDED", None, "suspendedUntil"),
            ("BANNED", Some(until), "suspendedUntil"),
            ("DELETED", None, "status"),
            ("active", None, "status"),
        ] {
            assert_eq!(StatusChange::parse(status, until).unwrap_err().0[0].field, field);
        }
    }
}
