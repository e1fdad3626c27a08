//! What texts may name, each with a sample to show a template with.

use serde_json::{Value as Json, json};

/// Something that a text may name: `{{ title }}`.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub sample: Sample,
}

/// A sample of a variable, which tells its type too.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// Text.
    Text(&'static str),
    /// Money in paise, written with the filter `money`: `{{ amount | money }}`.
    Rupees(i64),
    /// A whole number.
    Number(i64),
    /// A moment, written with the filter `day` or `time` in Indian time: `{{ until | day }}`.
    Moment(&'static str),
}

impl Variable {
    /// What every text may name: the marketplace's name, the notification's page, where to unsubscribe from a mail
    /// (empty elsewhere), and how many notifications were merged into one.
    pub const COMMON: &'static [Self] = &[
        Self::text("brand", "DGT Marketplace"),
        Self::text("link", "https://example.in/"),
        Self::text("unsubscribe", "https://example.in/unsubscribe"),
        Self::number("count", 1),
    ];

    pub(super) const fn text(name: &'static str, sample: &'static str) -> Self {
        Self { name, sample: Sample::Text(sample) }
    }

    pub(super) const fn rupees(name: &'static str, paise: i64) -> Self {
        Self { name, sample: Sample::Rupees(paise) }
    }

    pub(super) const fn number(name: &'static str, sample: i64) -> Self {
        Self { name, sample: Sample::Number(sample) }
    }

    pub(super) const fn moment(name: &'static str, sample: &'static str) -> Self {
        Self { name, sample: Sample::Moment(sample) }
    }

    /// Whether a value is of the variable's type.
    pub fn fits(&self, value: &Json) -> bool {
        match self.sample {
            Sample::Text(_) => value.is_string(),
            Sample::Rupees(_) => {
                value.get("amount").is_some_and(Json::is_i64) && value.get("currency") == Some(&json!("INR"))
            }
            Sample::Number(_) => value.is_i64() || value.is_u64(),
            Sample::Moment(_) => {
                value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok())
            }
        }
    }

    /// What a value must be, for people.
    pub(crate) fn rule(&self) -> &'static str {
        match self.sample {
            Sample::Text(_) => "must be text",
            Sample::Rupees(_) => "must be money: an amount in paise and the currency INR",
            Sample::Number(_) => "must be a whole number",
            Sample::Moment(_) => "must be a moment such as 2026-01-01T00:00:00Z",
        }
    }
}

impl Sample {
    /// The sample as a value.
    pub fn value(self) -> Json {
        match self {
            Self::Text(text) | Self::Moment(text) => json!(text),
            Self::Rupees(paise) => json!({"amount": paise, "currency": "INR"}),
            Self::Number(number) => json!(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Kind;

    #[test]
    fn each_sample_is_of_its_variables_type() {
        for variable in Kind::all().flat_map(|kind| kind.spec().variables).chain(Variable::COMMON) {
            assert!(variable.fits(&variable.sample.value()), "{}", variable.name);
            assert!(!variable.fits(&Json::Null), "{}", variable.name);
        }
    }
}
