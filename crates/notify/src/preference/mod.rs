//! How somebody wants to be told: which categories by which ways, and when to be left alone.

mod caps;
mod change;
mod quiet;
mod rows;
mod unsubscribe;

use serde::{Deserialize, Serialize};

use crate::{Category, Channel};

pub(crate) use caps::take_in_txn;
pub use quiet::{QuietHours, QuietHoursText};
pub(crate) use rows::{Choices, load};

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

/// Everything that somebody may choose, and what holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesView {
    /// Each category and way.
    pub preferences: Vec<Preference>,
    /// The categories whose messages all go whatever is chosen.
    pub locked: Vec<Category>,
    /// When nothing but critical messages goes by push, SMS and mail; it comes when they end. The inbox has it at once.
    #[schema(value_type = Option<QuietHoursText>)]
    pub quiet_hours: Option<QuietHours>,
    /// The zone in which quiet hours are reckoned.
    #[schema(example = "Asia/Kolkata")]
    pub time_zone: &'static str,
}
