//! Who may use the marketplace, and who may decide that: pure rules.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, InvalidInput, Permission, Role, UserId};

use super::{StatusChange, UserStatus};
use crate::IdentityError;

/// The longest suspension that anybody may impose.
const LONGEST_SUSPENSION_DAYS: i64 = 3_650;

/// Whether somebody may use the marketplace at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) status: UserStatus,
    pub(crate) suspended_until: Option<DateTime<Utc>>,
}

impl Standing {
    /// Refuses those who may not.
    pub(crate) fn check(&self, now: DateTime<Utc>) -> Result<(), IdentityError> {
        match (self.status, self.suspended_until) {
            (UserStatus::Active, _) => Ok(()),
            (UserStatus::Suspended, Some(until)) if now >= until => Ok(()),
            (UserStatus::Suspended, until) => {
                Err(IdentityError::AccountSuspended { until: until.unwrap_or(now) })
            }
            (UserStatus::Banned, _) => Err(IdentityError::AccountBanned),
            (UserStatus::Deleted, _) => Err(IdentityError::AccountDeleted),
        }
    }

    /// Whether a suspension is still written down whose time is over.
    pub(crate) fn has_lapsed(&self, now: DateTime<Utc>) -> bool {
        self.status == UserStatus::Suspended && self.check(now).is_ok()
    }
}

/// Somebody upon whom staff act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    pub(crate) standing: Standing,
}

/// Whether the actor may change the target's standing like this.
pub(crate) fn check_status_change(
    actor: &Actor,
    target: &Target,
    change: StatusChange,
    now: DateTime<Utc>,
) -> Result<(), IdentityError> {
    reach(actor, target)?;
    let may_ban = actor.may(Permission::UsersBan);
    match change {
        StatusChange::Activate | StatusChange::Ban if may_ban => Ok(()),
        StatusChange::Suspend { until } if may_ban || actor.may(Permission::UsersSuspend) => {
            if until <= now {
                return Err(
                    InvalidInput::field("suspendedUntil", "in_the_past", "must be in the future").into()
                );
            }
            // Databases and calendars end; whoever means for ever bans.
            if until - now > TimeDelta::days(LONGEST_SUSPENSION_DAYS) {
                let message = "must be within ten years: ban the user instead";
                return Err(InvalidInput::field("suspendedUntil", "too_far", message).into());
            }
            // Without the right to ban one suspends briefly, and only who is not blocked already: to replace a ban
            // or a longer suspension by a shorter one would lift it.
            let brief = until - now <= TimeDelta::days(Role::MODERATOR_SUSPENSION_DAYS);
            if may_ban || (brief && target.standing.check(now).is_ok()) {
                Ok(())
            } else {
                Err(IdentityError::NotAllowed)
            }
        }
        _ => Err(IdentityError::NotAllowed),
    }
}

/// Whether the actor may change the target's role.
pub(crate) fn check_role_change(actor: &Actor, target: &Target) -> Result<(), IdentityError> {
    if !actor.may(Permission::UsersAssignRole) {
        return Err(IdentityError::NotAllowed);
    }
    reach(actor, target)
}

/// Whether the actor's rank reaches the target at all.
fn reach(actor: &Actor, target: &Target) -> Result<(), IdentityError> {
    if actor.is(target.id) {
        return Err(IdentityError::OwnAccount);
    }
    if target.standing.status == UserStatus::Deleted {
        return Err(IdentityError::UserNotFound);
    }
    match actor.role() {
        Some(role) if !role.outranks(target.role) => Err(IdentityError::Outranked),
        _ => Ok(()),
    }
}

/// Refuses to take away the last of the active super admins, whose rows must be locked.
pub(crate) fn check_one_remains(
    active_super_admins: &[UserId],
    leaving: UserId,
) -> Result<(), IdentityError> {
    if active_super_admins == [leaving] { Err(IdentityError::LastSuperAdmin) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
