//! What the listings of a category tell of themselves: named attributes of four kinds.

use kernel::{FieldErrors, InvalidInput, bounded_text};
use serde::{Deserialize, Serialize};

/// The most attributes that a category has.
const MAX_ATTRIBUTES: usize = 30;
/// The most options that a choice has.
const MAX_OPTIONS: usize = 100;
/// The longest text that an attribute takes, in characters.
pub(super) const MAX_TEXT: u32 = 120;

/// The kind of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AttributeKind {
    /// A line of text, of at most `maxLength` characters.
    Text,
    /// A whole number from `min` to `max`, in `unit`.
    Integer,
    /// One of `options`.
    Choice,
    /// Yes or no.
    Boolean,
}

/// An attribute, as staff define it and as forms are drawn from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeSpec {
    /// Its name in a listing's `attributes`: a letter, then letters, digits and underscores.
    #[schema(example = "storage", min_length = 1, max_length = 40)]
    pub name: String,
    /// Its name for people.
    #[schema(example = "Storage", min_length = 1, max_length = 60)]
    pub label: String,
    /// The kind of its values.
    pub kind: AttributeKind,
    /// Whether a listing must have it before it is submitted.
    #[serde(default)]
    pub required: bool,
    /// Whether lists can be filtered by it.
    #[serde(default)]
    pub filterable: bool,
    /// For text: the most characters, at most 120.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 120)]
    pub max_length: Option<u32>,
    /// For integers: the smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// For integers: the largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// For integers: what they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "GB", max_length = 20)]
    pub unit: Option<String>,
    /// For choices: what can be chosen. An option holds no comma, which separates filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 100)]
    pub options: Option<Vec<String>>,
}

/// A category's attributes, each of them well defined.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct AttributeSchema(Vec<AttributeSpec>);

impl AttributeSchema {
    /// Reads the definitions.
    ///
    /// # Errors
    /// With everything that is wrong, by place: `attributes.0.name`.
    pub fn parse(specs: Vec<AttributeSpec>) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        if specs.len() > MAX_ATTRIBUTES {
            errors.add("attributes", "too_many", format!("must be at most {MAX_ATTRIBUTES}"));
            return Err(errors.into_error());
        }
        for (index, spec) in specs.iter().enumerate() {
            check(spec, &format!("attributes.{index}"), &mut errors);
            if specs.iter().take(index).any(|earlier| earlier.name == spec.name) {
                errors.add(format!("attributes.{index}.name"), "duplicate", "must not be used twice");
            }
        }
        errors.finish().map(|()| Self(specs))
    }

    /// The definitions.
    pub fn specs(&self) -> &[AttributeSpec] {
        &self.0
    }
}

fn check(spec: &AttributeSpec, at: &str, errors: &mut FieldErrors) {
    if !is_name(&spec.name) {
        errors.add(
            format!("{at}.name"),
            "invalid_name",
            "must have 1 to 40 letters, digits and underscores, the first a letter",
        );
    }
    errors.check(&format!("{at}.label"), bounded_text(&spec.label, 1, 60, false));
    if let Some(unit) = &spec.unit {
        errors.check(&format!("{at}.unit"), bounded_text(unit, 1, 20, false));
    }
    let belongs = |kinds: &[AttributeKind]| kinds.contains(&spec.kind);
    let strangers = [
        ("maxLength", spec.max_length.is_some() && !belongs(&[AttributeKind::Text])),
        ("min", spec.min.is_some() && !belongs(&[AttributeKind::Integer])),
        ("max", spec.max.is_some() && !belongs(&[AttributeKind::Integer])),
        ("unit", spec.unit.is_some() && !belongs(&[AttributeKind::Integer])),
        ("options", spec.options.is_some() && !belongs(&[AttributeKind::Choice])),
    ];
    for (name, _) in strangers.into_iter().filter(|(_, stranger)| *stranger) {
        errors.add(format!("{at}.{name}"), "not_applicable", "does not belong to this kind of attribute");
    }
    if spec.max_length.is_some_and(|max| !(1..=MAX_TEXT).contains(&max)) {
        let message = format!("must be from 1 to {MAX_TEXT}");
        errors.add(format!("{at}.maxLength"), "out_of_range", message);
    }
    if let (Some(min), Some(max)) = (spec.min, spec.max)
        && min > max
    {
        errors.add(format!("{at}.max"), "out_of_range", "must not be below min");
    }
    if spec.kind == AttributeKind::Choice {
        check_options(spec.options.as_deref().unwrap_or_default(), at, errors);
    }
}

fn check_options(options: &[String], at: &str, errors: &mut FieldErrors) {
    if options.is_empty() || options.len() > MAX_OPTIONS {
        let message = format!("must be 1 to {MAX_OPTIONS}");
        errors.add(format!("{at}.options"), "out_of_range", message);
        return;
    }
    for (index, option) in options.iter().enumerate() {
        let field = format!("{at}.options.{index}");
        match bounded_text(option, 1, 60, false) {
            Ok(trimmed) if trimmed != *option => {
                errors.add(&field, "invalid_option", "must not begin or end with a blank");
            }
            Ok(_) if option.contains(',') => errors.add(&field, "invalid_option", "must not hold a comma"),
            Ok(_) => {}
            Err(error) => drop(errors.check::<()>(&field, Err(error))),
        }
        if options.iter().take(index).any(|earlier| earlier == option) {
            errors.add(field, "duplicate", "must not be given twice");
        }
    }
}

/// Whether the text can name an attribute.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(spec: serde_json::Value) -> Vec<String> {
        let spec = serde_json::from_value(spec).unwrap();
        match AttributeSchema::parse(vec![spec]) {
            Ok(_) => Vec::new(),
            Err(InvalidInput(errors)) => errors.into_iter().map(|error| error.field).collect(),
        }
    }

    #[test]
    fn each_kind_has_its_own_bounds() {
        assert!(
            refused(
                json!({"name": "ram", "label": "RAM", "kind": "integer", "min": 1, "max": 64, "unit": "GB"})
            )
            .is_empty()
        );
        assert!(
            refused(json!({"name": "fuel", "label": "Fuel", "kind": "choice", "options": ["Petrol", "CNG"]}))
                .is_empty()
        );
        assert_eq!(
            refused(json!({"name": "ram", "label": "RAM", "kind": "boolean", "min": 1, "options": ["x"]})),
            ["attributes.0.min", "attributes.0.options"]
        );
        assert_eq!(
            refused(json!({"name": "ram", "label": "RAM", "kind": "integer", "min": 2, "max": 1})),
            ["attributes.0.max"]
        );
        assert_eq!(
            refused(json!({"name": "x", "label": "X", "kind": "text", "maxLength": 121})),
            ["attributes.0.maxLength"]
        );
    }

    #[test]
    fn a_choice_needs_options_that_can_be_told_apart() {
        let choice = |options: &[&str]| {
            refused(json!({"name": "c", "label": "C", "kind": "choice", "options": options}))
        };
        assert_eq!(choice(&[]), ["attributes.0.options"]);
        assert_eq!(choice(&["a", "a"]), ["attributes.0.options.1"]);
        assert_eq!(choice(&["a,b"]), ["attributes.0.options.0"]);
        assert_eq!(choice(&[" a"]), ["attributes.0.options.0"]);
    }

    #[test]
    fn a_name_is_used_once() {
        let spec: AttributeSpec =
            serde_json::from_value(json!({"name": "a", "label": "A", "kind": "boolean"})).unwrap();
        let errors = AttributeSchema::parse(vec![spec.clone(), spec]).unwrap_err().0;
        assert_eq!(errors[0].field, "attributes.1.name");
        assert_eq!(refused(json!({"name": "1a", "label": "A", "kind": "boolean"})), ["attributes.0.name"]);
    }
}
