//! Announcements: what the marketplace tells many people at once, as a notification, a push message or both.
//!
//! Who belongs to an audience is known elsewhere: the fan-out is given people in batches, in the order of their ids,
//! and remembers how far it came, so that another process goes on where one stopped.

mod active;
mod broadcast;
mod fan_out;
mod fields;
mod manage;
mod parts;
mod rows;
mod state;

use chrono::{DateTime, Utc};
use kernel::{AnnouncementId, FieldErrors, InvalidInput, Role, UserId, bounded_text};
use serde::{Deserialize, Serialize};

pub use active::ActiveAnnouncementView;
pub use broadcast::{Broadcast, BroadcastInput};
pub(crate) use fan_out::is_on;
pub use fan_out::{Advanced, FanOut, Reached};
pub use fields::{AnnouncementFields, AnnouncementInput};
pub use state::{AnnouncementEvent, AnnouncementStatus};

/// Whom an announcement is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "parts::AudienceParts")]
pub enum Audience {
    /// Everybody.
    All {},
    /// Whoever lives in a city.
    City {
        /// Its name, as people write it in their profile.
        #[schema(example = "Pune")]
        city: String,
    },
    /// Whoever lives in a state.
    State {
        /// Its name, as people write it in their profile.
        #[schema(example = "Maharashtra")]
        state: String,
    },
    /// Whoever has a role.
    Role {
        /// The role.
        role: Role,
    },
    /// Whoever has something in common.
    Segment {
        /// What.
        segment: Segment,
    },
}

/// People who have something in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// They have offered something.
    Sellers,
    /// They have, and proved who they are.
    VerifiedSellers,
    /// They have never offered anything.
    Buyers,
}

/// What is known of somebody, to tell whether an announcement is for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceFacts {
    /// Where they live.
    pub city: Option<String>,
    /// In which state that is.
    pub state: Option<String>,
    /// Their role.
    pub role: Role,
    /// What they have in common with others.
    pub segments: Vec<Segment>,
}

impl Audience {
    /// Checks the place that it names, if it does.
    ///
    /// # Errors
    /// When the place's name is none.
    pub fn check(&self) -> Result<(), InvalidInput> {
        let (field, name) = match self {
            Self::City { city } => ("city", city),
            Self::State { state } => ("state", state),
            Self::All {} | Self::Role { .. } | Self::Segment { .. } => return Ok(()),
        };
        let mut errors = FieldErrors::default();
        errors.check(field, bounded_text(name, 2, 80, false));
        errors.finish()
    }

    /// Whether somebody belongs to it. The case of a place's name does not matter.
    pub fn covers(&self, facts: &AudienceFacts) -> bool {
        let is = |wanted: &str, given: &Option<String>| {
            given.as_ref().is_some_and(|given| given.trim().to_lowercase() == wanted.trim().to_lowercase())
        };
        match self {
            Self::All {} => true,
            Self::City { city } => is(city, &facts.city),
            Self::State { state } => is(state, &facts.state),
            Self::Role { role } => facts.role == *role,
            Self::Segment { segment } => facts.segments.contains(segment),
        }
    }
}

/// An announcement as staff see it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnnouncementView {
    /// Its id.
    pub id: AnnouncementId,
    /// What it says and to whom.
    #[serde(flatten)]
    pub fields: AnnouncementFields,
    /// How far it is.
    pub status: AnnouncementStatus,
    /// How many people were told.
    pub reached: i64,
    /// Up to whom people were told, in the order of their ids.
    pub position: Option<UserId>,
    /// How often it was changed; it is the ETag too.
    pub version: i64,
    /// Who wrote it: a user's id, or a part of the system.
    #[schema(example = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    pub created_by: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> AudienceFacts {
        AudienceFacts {
            city: Some("Pune".to_owned()),
            state: Some("Maharashtra".to_owned()),
            role: Role::User,
            segments: vec![Segment::Sellers],
        }
    }

    #[test]
    fn an_audience_covers_whom_it_names() {
        for (audience, covers) in [
            (json!({"type": "all"}), true),
            (json!({"type": "city", "city": " pune"}), true),
            (json!({"type": "city", "city": "Mumbai"}), false),
            (json!({"type": "state", "state": "MAHARASHTRA"}), true),
            (json!({"type": "role", "role": "USER"}), true),
            (json!({"type": "role", "role": "ADMIN"}), false),
            (json!({"type": "segment", "segment": "sellers"}), true),
            (json!({"type": "segment", "segment": "verified_sellers"}), false),
        ] {
            let parsed: Audience = serde_json::from_value(audience.clone()).unwrap();
            assert_eq!(parsed.covers(&facts()), covers, "{audience}");
            assert_eq!(serde_json::to_value(&parsed).unwrap(), audience);
        }
        for odd in [
            json!({"type": "city"}),
            json!({"type": "all", "city": "x"}),
            json!({"type": "planet"}),
            json!({"type": "all", "city": null}),
            json!({"type": "city", "city": "Pune", "state": "Goa"}),
        ] {
            assert!(serde_json::from_value::<Audience>(odd.clone()).is_err(), "{odd}");
        }
    }
}
