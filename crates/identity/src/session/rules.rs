//! What a refresh token is worth: the rules of rotation (RFC 9700 §4.14.2), without a database.

use chrono::{DateTime, Utc};

use crate::IdentityConfig;

/// The generation of a session's first refresh token.
pub(crate) const FIRST_GENERATION: i64 = 1;

/// What is known of a session: the family of its refresh tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    /// The generation of the newest token.
    pub(crate) generation: i64,
    /// When that token was made.
    pub(crate) refreshed_at: DateTime<Utc>,
    /// When the family ends, come what may.
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether it was ended before.
    pub(crate) revoked: bool,
}

/// What to do with a token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the newest: make its successor.
    Rotate,
    /// It was the newest a moment ago, and the answer may have been lost: give the same successor again.
    Repeat,
    /// It is older, so two hold copies of this family: end it.
    Reuse,
    /// The family has ended.
    Ended,
}

impl Family {
    /// Whether the session has ended by revocation, age or idleness.
    pub(crate) fn has_ended(&self, config: &IdentityConfig, now: DateTime<Utc>) -> bool {
        self.revoked || now >= self.ends_at(config)
    }

    /// When the session ends by age or idleness, if nothing else happens.
    pub(crate) fn ends_at(&self, config: &IdentityConfig) -> DateTime<Utc> {
        self.expires_at.min(self.refreshed_at + config.session_idle)
    }

    /// Judges a token of this family by its generation. Only the immediate predecessor is ever forgiven, and only
    /// for the grace period: a window for every ancestor would hide a thief.
    pub(crate) fn judge(&self, config: &IdentityConfig, presented: i64, now: DateTime<Utc>) -> Verdict {
        if self.has_ended(config, now) {
            return Verdict::Ended;
        }
        if presented == self.generation {
            return Verdict::Rotate;
        }
        let is_predecessor = presented.checked_add(1) == Some(self.generation);
        if is_predecessor && now <= self.refreshed_at + config.refresh_grace {
            return Verdict::Repeat;
        }
        Verdict::Reuse
    }
}

#[cfg(test)]
mod tests;
