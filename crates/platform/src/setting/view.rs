//! Settings as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value as Json;

use super::read::valid;
use super::rows::Row;
use super::{Category, Definition, Rule};

/// A setting with everything that a settings page needs.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingView {
    /// Its name.
    #[schema(example = "listing_expiry_days")]
    pub key: &'static str,
    /// What it is about.
    pub category: Category,
    /// `integer`, `string`, `email` or `boolean`.
    #[serde(rename = "type")]
    #[schema(example = "integer")]
    pub kind: &'static str,
    /// The value that holds.
    #[schema(example = 30)]
    pub value: Json,
    /// The value that holds when nobody changed it.
    #[schema(example = 30)]
    pub default: Json,
    /// The least number, or the fewest characters.
    #[schema(example = 1)]
    pub min: Option<i64>,
    /// The greatest number, or the most characters.
    #[schema(example = 365)]
    pub max: Option<i64>,
    /// What a number counts.
    #[schema(example = "days")]
    pub unit: Option<&'static str>,
    /// What it does.
    pub description: &'static str,
    /// Whether everybody may read it.
    pub public: bool,
    /// How often it was changed.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Option<DateTime<Utc>>,
    /// Who changed it last: a user's id, or a part of the system.
    pub updated_by: Option<String>,
}

impl SettingView {
    pub(super) fn new(definition: &Definition, row: Option<&Row>) -> Self {
        let stored = row.filter(|row| row.version > 0);
        let (min, max, unit) = bounds(definition.rule);
        Self {
            key: definition.key,
            category: definition.category,
            kind: definition.rule.kind(),
            value: stored
                .and_then(|row| valid(definition, row))
                .unwrap_or_else(|| definition.default_value()),
            default: definition.default_value(),
            min,
            max,
            unit,
            description: definition.description,
            public: definition.is_public,
            version: stored.map_or(0, |row| row.version),
            updated_at: stored.map(|row| row.updated_at),
            updated_by: stored.map(|row| row.updated_by.clone()),
        }
    }
}

fn bounds(rule: Rule) -> (Option<i64>, Option<i64>, Option<&'static str>) {
    match rule {
        Rule::Whole { min, max, unit } => (Some(min), Some(max), Some(unit)),
        Rule::Text { min, max } => (i64::try_from(min).ok(), i64::try_from(max).ok(), None),
        Rule::Email | Rule::Switch => (None, None, None),
    }
}

/// What a setting was changed to.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingChangeView {
    /// The version that the change made.
    pub version: i64,
    /// The value from then on.
    pub value: Json,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Who: a user's id, or a part of the system.
    pub changed_by: String,
}

impl From<Row> for SettingChangeView {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            value: row.value,
            changed_at: row.updated_at,
            changed_by: row.updated_by,
        }
    }
}
