//! An audience as it is read: field by field, so that what is wrong with it is told of its field.

use kernel::Role;
use serde::{Deserialize, Deserializer};

use super::{Audience, Segment};

/// Everything that an audience may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AudienceParts {
    #[serde(rename = "type")]
    kind: AudienceKind,
    #[serde(default, deserialize_with = "given")]
    city: Option<String>,
    #[serde(default, deserialize_with = "given")]
    state: Option<String>,
    #[serde(default, deserialize_with = "given")]
    role: Option<Role>,
    #[serde(default, deserialize_with = "given")]
    segment: Option<Segment>,
}

/// A part that is there is not null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AudienceKind {
    All,
    City,
    State,
    Role,
    Segment,
}

impl AudienceParts {
    /// The names of the parts that are there.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let parts = [
            ("city", self.city.is_some()),
            ("state", self.state.is_some()),
            ("role", self.role.is_some()),
            ("segment", self.segment.is_some()),
        ];
        parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name)
    }
}

impl TryFrom<AudienceParts> for Audience {
    type Error = String;

    fn try_from(parts: AudienceParts) -> Result<Self, String> {
        let wanted = match parts.kind {
            AudienceKind::All => None,
            AudienceKind::City => Some("city"),
            AudienceKind::State => Some("state"),
            AudienceKind::Role => Some("role"),
            AudienceKind::Segment => Some("segment"),
        };
        if let Some(odd) = parts.names().find(|name| Some(*name) != wanted) {
            return Err(format!("unknown field `{odd}`: it does not go with this `type`"));
        }
        let AudienceParts { kind, city, state, role, segment } = parts;
        let audience = match kind {
            AudienceKind::All => Some(Self::All {}),
            AudienceKind::City => city.map(|city| Self::City { city }),
            AudienceKind::State => state.map(|state| Self::State { state }),
            AudienceKind::Role => role.map(|role| Self::Role { role }),
            AudienceKind::Segment => segment.map(|segment| Self::Segment { segment }),
        };
        audience.ok_or_else(|| format!("missing field `{}`", wanted.unwrap_or("type")))
    }
}
