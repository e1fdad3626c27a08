//! Which values a setting takes.

use kernel::{Email, ParseError, bounded_text};
use serde_json::Value as Json;

/// The form and bounds of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A whole number.
    Whole {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
        /// What it counts: `days`, `paise`, `percent`.
        unit: &'static str,
    },
    /// One line of text.
    Text {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// An e-mail address.
    Email,
    /// On or off.
    Switch,
}

impl Rule {
    /// The type's name in the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Whole { .. } => "integer",
            Self::Text { .. } => "string",
            Self::Email => "email",
            Self::Switch => "boolean",
        }
    }

    /// Checks a value and gives it as it is to be stored.
    ///
    /// # Errors
    /// When it is of another type or out of bounds, saying what would be right.
    pub fn check(&self, value: &Json) -> Result<Json, ParseError> {
        match *self {
            Self::Whole { min, max, unit } => match value.as_i64() {
                Some(number) if (min..=max).contains(&number) => Ok(number.into()),
                Some(_) => {
                    let message = format!("must be from {min} to {max} {unit}");
                    Err(ParseError::new("out_of_range", message))
                }
                None => Err(wrong_type("a whole number")),
            },
            Self::Text { min, max } => {
                let text = value.as_str().ok_or_else(|| wrong_type("a text"))?;
                bounded_text(text, min, max, false).map(Json::from)
            }
            Self::Email => {
                let text = value.as_str().ok_or_else(|| wrong_type("a text"))?;
                Email::parse(text).map(|email| Json::from(email.as_str()))
            }
            Self::Switch => match value {
                Json::Bool(_) => Ok(value.clone()),
                _ => Err(wrong_type("true or false")),
            },
        }
    }
}

fn wrong_type(expected: &str) -> ParseError {
    ParseError::new("wrong_type", format!("must be {expected}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const DAYS: Rule = Rule::Whole { min: 1, max: 365, unit: "days" };
    const NAME: Rule = Rule::Text { min: 1, max: 5 };

    #[test]
    fn what_fits_is_stored_in_one_form() {
        assert_eq!(DAYS.check(&json!(365)), Ok(json!(365)));
        assert_eq!(NAME.check(&json!(" DGT ")), Ok(json!("DGT")));
        assert_eq!(Rule::Email.check(&json!("Help@Example.IN")), Ok(json!("help@example.in")));
        assert_eq!(Rule::Switch.check(&json!(false)), Ok(json!(false)));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_bounds() {
        for (rule, value, code) in [
            (DAYS, json!(0), "out_of_range"),
            (DAYS, json!(366), "out_of_range"),
            (DAYS, json!(1.5), "wrong_type"),
            (DAYS, json!("30"), "wrong_type"),
            (DAYS, json!(u64::MAX), "wrong_type"),
            (DAYS, json!(null), "wrong_type"),
            (NAME, json!(""), "too_short"),
            (NAME, json!("abcdef"), "too_long"),
            (NAME, json!("a\nb"), "invalid_character"),
            (NAME, json!(["a"]), "wrong_type"),
            (Rule::Email, json!("help"), "invalid_email"),
            (Rule::Switch, json!(1), "wrong_type"),
            (Rule::Switch, json!("true"), "wrong_type"),
        ] {
            assert_eq!(rule.check(&value).unwrap_err().code, code, "{rule:?} {value}");
        }
        assert!(DAYS.check(&json!(0)).unwrap_err().message.contains("from 1 to 365 days"));
    }
}
