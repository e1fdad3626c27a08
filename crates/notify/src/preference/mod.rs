//! How somebody wants to be told: which categories and which kinds by which ways, and when to be left alone.

mod caps;
mod change;
mod choices;
mod quiet;
mod rows;
mod unsubscribe;

use serde::{Deserialize, Serialize};

use crate::{Category, Channel, Kind};

pub(crate) use caps::take_in_txn;
pub(crate) use choices::Choices;
pub use quiet::{QuietHours, QuietHoursText};
pub(crate) use rows::{load, load_all};

/// Whether a category goes by a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preference {
    /// The category.
    pub category: Category,
    /// The way.
    pub channel: Channel,
    /// Whether it goes.
    pub enabled: bool,
}

/// Whether a kind goes by a way, whatever holds for the rest of its category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindPreference {
    /// The kind.
    pub kind: Kind,
    /// The way.
    pub channel: Channel,
    /// Whether it goes; null takes the choice away, so that the category's holds for it again.
    // Read by name, so that a choice without it is refused and not taken away.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub enabled: Option<bool>,
}

/// What somebody chooses; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewChoices {
    /// About categories; the last of two about the same thing holds.
    pub preferences: Vec<Preference>,
    /// About kinds, likewise.
    pub kinds: Vec<KindPreference>,
    /// The quiet hours; `Some(None)` takes them away.
    pub quiet_hours: Option<Option<QuietHours>>,
}

/// By which ways a kind goes, after all that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindWays {
    /// The kind.
    pub kind: Kind,
    /// Its category, whose choice holds where none was made for the kind.
    pub category: Category,
    /// Whether it goes by its ways whatever is chosen.
    #[schema(example = false)]
    pub critical: bool,
    /// The ways.
    #[schema(example = json!(["in_app", "push"]))]
    pub channels: Vec<Channel>,
}

/// Everything that somebody may choose, and what holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesView {
    /// Each category and way.
    pub preferences: Vec<Preference>,
    /// What was chosen for single kinds; it comes before their category's.
    pub kinds: Vec<KindPreference>,
    /// What follows: the ways that each kind goes by.
    pub follows: Vec<KindWays>,
    /// The categories whose messages all go whatever is chosen.
    pub locked: Vec<Category>,
    /// When nothing but critical messages goes by push, SMS and mail; it comes when they end. The inbox has it at once.
    #[schema(value_type = Option<QuietHoursText>)]
    pub quiet_hours: Option<QuietHours>,
    /// The zone in which quiet hours are reckoned.
    #[schema(example = "Asia/Kolkata")]
    pub time_zone: &'static str,
}
