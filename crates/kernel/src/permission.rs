//! Roles and what each of them may do. Deny by default: what is not listed here is not allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ParseError;

/// What a person is to the marketplace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Buys and sells.
    User,
    /// Reviews listings and reports.
    Moderator,
    /// Looks after refunds and payouts.
    Finance,
    /// Runs the place.
    Admin,
    /// Runs the place and appoints the others.
    SuperAdmin,
}

/// A named thing that only some roles may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See listings in every state.
    ListingsViewAll,
    /// Approve and reject listings.
    ListingsReview,
    /// Create, change and remove categories.
    CategoriesManage,
    /// List people and see their details.
    UsersView,
    /// Warn people, and suspend them for up to [`Role::MODERATOR_SUSPENSION_DAYS`].
    UsersSuspend,
    /// Suspend people for longer, ban them, and lift both.
    UsersBan,
    /// Appoint and dismiss staff.
    UsersAssignRole,
    /// Create, change and withdraw what can be bought to boost a listing.
    BoostPlansManage,
    /// See everybody's payments and refunds.
    PaymentsView,
    /// Send payments back to where they came from.
    RefundsIssue,
    /// Give promotional credit.
    CreditGrant,
    /// See what was given up in the background, and try it again.
    DeadLettersReplay,
    /// Read, write, try out and reset what notifications say.
    TemplatesManage,
    /// Read, write, schedule and stop announcements, and count whom they would reach.
    AnnouncementsManage,
    /// See the log of messages, and send after all what was given up.
    DeliveriesManage,
    /// See, make, change and remove endpoints of webhooks, and send what they were sent once more.
    WebhooksManage,
}

impl Role {
    /// All roles, from least to most powerful.
    pub const ALL: [Self; 5] = [Self::User, Self::Moderator, Self::Finance, Self::Admin, Self::SuperAdmin];

    /// The longest suspension, in days, that a moderator may impose alone.
    pub const MODERATOR_SUSPENSION_DAYS: i64 = 7;

    /// The role as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Moderator => "MODERATOR",
            Self::Finance => "FINANCE",
            Self::Admin => "ADMIN",
            Self::SuperAdmin => "SUPER_ADMIN",
        }
    }

    /// Whether the role works for the marketplace; staff need a second factor.
    pub fn is_staff(self) -> bool {
        self != Self::User
    }

    /// Whether the role may do it.
    pub fn allows(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// Whether somebody of this role may act upon somebody of the other: only upon less powerful people, except
    /// that super admins may act upon each other.
    pub fn outranks(self, other: Self) -> bool {
        self == Self::SuperAdmin || self.rank() > other.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Moderator | Self::Finance => 1,
            Self::Admin => 2,
            Self::SuperAdmin => 3,
        }
    }

    /// Everything the role may do.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::{
            AnnouncementsManage, BoostPlansManage, CategoriesManage, CreditGrant, DeadLettersReplay,
            DeliveriesManage, ListingsReview, ListingsViewAll, PaymentsView, RefundsIssue, TemplatesManage,
            UsersAssignRole, UsersBan, UsersSuspend, UsersView, WebhooksManage,
        };
        match self {
            Self::User => &[],
            Self::Moderator => &[ListingsViewAll, ListingsReview, UsersSuspend],
            Self::Finance => &[ListingsViewAll, PaymentsView, RefundsIssue],
            Self::Admin => &[
                ListingsViewAll,
                ListingsReview,
                CategoriesManage,
                UsersView,
                UsersSuspend,
                UsersBan,
                BoostPlansManage,
                PaymentsView,
                RefundsIssue,
                CreditGrant,
                DeadLettersReplay,
                TemplatesManage,
                AnnouncementsManage,
                DeliveriesManage,
                WebhooksManage,
            ],
            Self::SuperAdmin => &[
                ListingsViewAll,
                ListingsReview,
                CategoriesManage,
                UsersView,
                UsersSuspend,
                UsersBan,
                UsersAssignRole,
                BoostPlansManage,
                PaymentsView,
                RefundsIssue,
                CreditGrant,
                DeadLettersReplay,
                TemplatesManage,
                AnnouncementsManage,
                DeliveriesManage,
                WebhooksManage,
            ],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            ParseError::new("unknown_role", "must be one of USER, MODERATOR, FINANCE, ADMIN, SUPER_ADMIN")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_do_nothing_that_needs_a_permission() {
        assert!(Role::User.permissions().is_empty());
    }

    #[test]
    fn only_the_super_admin_appoints_staff() {
        let appointing: Vec<_> =
            Role::ALL.into_iter().filter(|role| role.allows(Permission::UsersAssignRole)).collect();
        assert_eq!(appointing, [Role::SuperAdmin]);
    }

    #[test]
    fn a_moderator_cannot_ban() {
        assert!(!Role::Moderator.allows(Permission::UsersBan));
        assert!(Role::Moderator.allows(Permission::UsersSuspend));
    }

    #[test]
    fn nobody_but_a_super_admin_acts_upon_equals() {
        for role in Role::ALL {
            assert_eq!(role.outranks(role), role == Role::SuperAdmin, "{role}");
        }
        assert!(!Role::Moderator.outranks(Role::Finance));
        assert!(Role::Admin.outranks(Role::Moderator));
        assert!(!Role::Admin.outranks(Role::SuperAdmin));
    }

    #[test]
    fn each_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        assert!("user".parse::<Role>().is_err());
    }
}
