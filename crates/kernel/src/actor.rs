//! Who is acting: told to every use case that records or restricts it.

use chrono::{DateTime, Utc};

use crate::{Permission, Role, SessionId, UserId};

/// The one in whose name something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A person who has proved who they are.
    Person {
        /// The person.
        user: UserId,
        /// Their role at the time of the request.
        role: Role,
        /// The login they act through.
        session: SessionId,
        /// What is known of their second factor, if they are staff.
        staff: Option<StaffFacts>,
    },
    /// The marketplace itself: a scheduled job or an operator's command, by its name.
    System(&'static str),
}

/// What is known of a staff member's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaffFacts {
    /// Whether an authenticator is enrolled and confirmed.
    pub totp_confirmed: bool,
    /// Until when a fresh code counts for decisions that need one.
    pub stepped_up_until: Option<DateTime<Utc>>,
}

impl Actor {
    /// The person's id, if a person acts.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Person { user, .. } => Some(*user),
            Self::System(_) => None,
        }
    }

    /// The person's role, if a person acts.
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::Person { role, .. } => Some(*role),
            Self::System(_) => None,
        }
    }

    /// Whether the actor may do it. The system itself may.
    pub fn may(&self, permission: Permission) -> bool {
        match self {
            Self::Person { role, .. } => role.allows(permission),
            Self::System(_) => true,
        }
    }

    /// Whether the actor is this person.
    pub fn is(&self, other: UserId) -> bool {
        self.user() == Some(other)
    }

    /// `user` or `system`, as records name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person { .. } => "user",
            Self::System(_) => "system",
        }
    }

    /// The person's id or the system's part, as records name it.
    pub fn name(&self) -> String {
        match self {
            Self::Person { user, .. } => user.to_string(),
            Self::System(part) => (*part).to_owned(),
        }
    }
}
