//! Every role upon every role: who may suspend, ban, lift and appoint.

use kernel::SessionId;
use uuid::Uuid;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn actor(role: Role) -> Actor {
    Actor::Person {
        user: Uuid::from_u128(1).into(),
        role,
        session: SessionId::from(Uuid::from_u128(2)),
        staff: None,
    }
}

fn target(role: Role, status: UserStatus) -> Target {
    Target {
        id: Uuid::from_u128(9).into(),
        role,
        standing: Standing {
            status,
            suspended_until: (status == UserStatus::Suspended).then(|| now() + TimeDelta::days(1)),
        },
    }
}

fn suspend(days: i64) -> StatusChange {
    StatusChange::Suspend { until: now() + TimeDelta::days(days) }
}

/// The roles that may do it to a plain, active user.
fn roles_that_may(change: StatusChange, status: UserStatus) -> Vec<Role> {
    let may =
        |role: &Role| check_status_change(&actor(*role), &target(Role::User, status), change, now()).is_ok();
    Role::ALL.into_iter().filter(may).collect()
}

#[test]
fn moderators_suspend_for_a_week_and_admins_for_as_long_as_they_like() {
    let (moderator, admin, top) = (Role::Moderator, Role::Admin, Role::SuperAdmin);
    assert_eq!(roles_that_may(suspend(7), UserStatus::Active), [moderator, admin, top]);
    assert_eq!(roles_that_may(suspend(8), UserStatus::Active), [admin, top]);
    assert_eq!(roles_that_may(StatusChange::Ban, UserStatus::Active), [admin, top]);
    assert_eq!(roles_that_may(StatusChange::Activate, UserStatus::Banned), [admin, top]);
}

#[test]
fn a_moderator_cannot_weaken_a_block_by_suspending_anew() {
    for status in [UserStatus::Banned, UserStatus::Suspended] {
        assert_eq!(roles_that_may(suspend(1), status), [Role::Admin, Role::SuperAdmin]);
    }
}

#[test]
fn nobody_acts_upon_equals_or_above_but_super_admins_upon_each_other() {
    for by in Role::ALL {
        for upon in Role::ALL {
            let allowed =
                check_status_change(&actor(by), &target(upon, UserStatus::Active), suspend(1), now()).is_ok();
            let expected = match by {
                Role::Moderator => upon == Role::User,
                Role::Admin => matches!(upon, Role::User | Role::Moderator | Role::Finance),
                Role::SuperAdmin => true,
                Role::User | Role::Finance => false,
            };
            assert_eq!(allowed, expected, "{by} upon {upon}");
        }
    }
}

#[test]
fn nobody_acts_upon_themselves() {
    let me = Target { id: Uuid::from_u128(1).into(), ..target(Role::User, UserStatus::Active) };
    let by = actor(Role::SuperAdmin);
    assert!(matches!(check_role_change(&by, &me), Err(IdentityError::OwnAccount)));
    assert!(matches!(
        check_status_change(&by, &me, StatusChange::Ban, now()),
        Err(IdentityError::OwnAccount)
    ));
}

#[test]
fn only_super_admins_and_the_system_appoint() {
    for role in Role::ALL {
        let allowed = check_role_change(&actor(role), &target(Role::User, UserStatus::Active)).is_ok();
        assert_eq!(allowed, role == Role::SuperAdmin, "{role}");
    }
    assert!(check_role_change(&Actor::System("seed"), &target(Role::SuperAdmin, UserStatus::Active)).is_ok());
}

#[test]
fn a_suspension_ends_by_itself_and_a_ban_does_not() {
    let later = now() + TimeDelta::days(1);
    let suspended = target(Role::User, UserStatus::Suspended).standing;
    assert!(
        matches!(suspended.check(now()), Err(IdentityError::AccountSuspended { until }) if until == later)
    );
    assert!(suspended.check(later).is_ok() && suspended.has_lapsed(later) && !suspended.has_lapsed(now()));
    let banned = target(Role::User, UserStatus::Banned).standing;
    assert!(matches!(banned.check(now() + TimeDelta::days(9_000)), Err(IdentityError::AccountBanned)));
    assert!(!target(Role::User, UserStatus::Active).standing.has_lapsed(later));
}

#[test]
fn a_suspension_ends_in_the_future_and_within_ten_years() {
    let by = actor(Role::Admin);
    for days in [0, -1, 3_651] {
        let refused = check_status_change(&by, &target(Role::User, UserStatus::Active), suspend(days), now());
        assert!(
            matches!(refused, Err(IdentityError::Invalid(e)) if e.0[0].field == "suspendedUntil"),
            "{days}"
        );
    }
}

#[test]
fn one_super_admin_remains() {
    let id = |n: u128| UserId::from(Uuid::from_u128(n));
    assert!(check_one_remains(&[id(1), id(2)], id(1)).is_ok());
    assert!(check_one_remains(&[id(2)], id(1)).is_ok(), "who leaves was not active");
    assert!(matches!(check_one_remains(&[id(1)], id(1)), Err(IdentityError::LastSuperAdmin)));
}
