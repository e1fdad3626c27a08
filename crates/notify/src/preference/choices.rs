//! What somebody has chosen, by which every message of theirs is measured.

use chrono::{DateTime, Utc};

use super::{KindPreference, Preference, QuietHours};
use crate::{Category, Channel, Kind};

/// What somebody has chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices {
    pub(super) preferences: Vec<Preference>,
    pub(super) kinds: Vec<KindPreference>,
    pub(super) quiet_hours: Option<QuietHours>,
}

impl Choices {
    /// Whether the category goes by the way, if that was chosen.
    pub(super) fn chosen(&self, category: Category, channel: Channel) -> Option<bool> {
        self.preferences
            .iter()
            .find(|choice| choice.category == category && choice.channel == channel)
            .map(|choice| choice.enabled)
    }

    /// Whether the kind goes by the way, if that was chosen for it alone.
    fn chosen_alone(&self, kind: Kind, channel: Channel) -> Option<bool> {
        self.kinds.iter().find(|choice| choice.kind == kind && choice.channel == channel)?.enabled
    }

    /// Whether a kind goes by the way: by its own ways when it is critical or nothing was chosen, and otherwise as was
    /// chosen for it, or else for its category.
    pub(crate) fn lets(&self, kind: Kind, channel: Channel) -> bool {
        let by_itself = kind.spec().channels.contains(&channel);
        if kind.is_critical() {
            return by_itself;
        }
        if let Some(enabled) = self.chosen_alone(kind, channel) {
            return enabled;
        }
        let category = kind.category();
        match self.chosen(category, channel) {
            // What is on by default is that of some kinds or of all, and a choice equal to the default changes nothing;
            // only a way that none of them goes by is opened to each.
            Some(true) if !category.is_on_by_default(channel) => true,
            Some(false) => false,
            _ => by_itself,
        }
    }

    /// When a message of the kind may go that is ready now.
    pub(crate) fn not_before(&self, kind: Kind, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.quiet_hours {
            Some(hours) if !kind.is_critical() => hours.end_after(now).unwrap_or(now),
            _ => now,
        }
    }
}
