//! A listing's attributes: values checked against the definitions of its category.

use kernel::{FieldErrors, InvalidInput, ParseError, bounded_text};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};

use super::attribute::{AttributeKind, AttributeSchema, AttributeSpec, MAX_TEXT};
use crate::fold::fold_to;

/// The width of the column that filters compare, in characters.
const INDEX_WIDTH: usize = 200;

/// Whether required attributes may still be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// They may: the listing is a draft.
    Draft,
    /// They may not.
    Complete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AttributeValue {
    Text(String),
    Integer(i64),
    Boolean(bool),
}

/// Attributes in the order of their category; serialises to an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct AttributeValues(Vec<(String, AttributeValue)>);

impl AttributeSchema {
    /// Reads a listing's attributes. `null` is the same as not given.
    pub(crate) fn read(
        &self,
        given: &Map<String, Json>,
        completeness: Completeness,
    ) -> Result<AttributeValues, InvalidInput> {
        let mut errors = FieldErrors::default();
        for name in given.keys() {
            if !self.specs().iter().any(|spec| spec.name == *name) {
                let message = "is no attribute of this category";
                errors.add(format!("attributes.{name}"), "unknown_attribute", message);
            }
        }
        let mut values = Vec::with_capacity(given.len());
        for spec in self.specs() {
            let field = format!("attributes.{}", spec.name);
            match given.get(&spec.name) {
                None | Some(Json::Null) if spec.required && completeness == Completeness::Complete => {
                    errors.add(field, "required", "is required in this category");
                }
                None | Some(Json::Null) => {}
                Some(value) => {
                    if let Some(value) = errors.check(&field, read_value(spec, value)) {
                        values.push((spec.name.clone(), value));
                    }
                }
            }
        }
        errors.finish().map(|()| AttributeValues(values))
    }
}

fn read_value(spec: &AttributeSpec, value: &Json) -> Result<AttributeValue, ParseError> {
    match (spec.kind, value) {
        (AttributeKind::Text, Json::String(text)) => {
            let max = usize::try_from(spec.max_length.unwrap_or(MAX_TEXT)).unwrap_or(usize::MAX);
            bounded_text(text, 1, max, false).map(AttributeValue::Text)
        }
        (AttributeKind::Text, _) => Err(ParseError::new("not_a_text", "must be a text")),
        (AttributeKind::Integer, value) => match value.as_i64() {
            Some(number) => in_range(spec, number),
            None => Err(ParseError::new("not_an_integer", "must be a whole number")),
        },
        (AttributeKind::Choice, Json::String(text))
            if spec.options.iter().flatten().any(|option| option == text) =>
        {
            Ok(AttributeValue::Text(text.clone()))
        }
        (AttributeKind::Choice, _) => {
            let options = spec.options.as_deref().unwrap_or_default().join(", ");
            Err(ParseError::new("not_an_option", format!("must be one of: {options}")))
        }
        (AttributeKind::Boolean, Json::Bool(yes)) => Ok(AttributeValue::Boolean(*yes)),
        (AttributeKind::Boolean, _) => Err(ParseError::new("not_a_boolean", "must be true or false")),
    }
}

fn in_range(spec: &AttributeSpec, number: i64) -> Result<AttributeValue, ParseError> {
    let bounds = (spec.min, spec.max);
    if bounds.0.is_none_or(|min| number >= min) && bounds.1.is_none_or(|max| number <= max) {
        return Ok(AttributeValue::Integer(number));
    }
    let message = match bounds {
        (Some(min), Some(max)) => format!("must be from {min} to {max}"),
        (Some(min), None) => format!("must be at least {min}"),
        (None, Some(max)) => format!("must be at most {max}"),
        (None, None) => "must be a whole number".to_owned(),
    };
    Err(ParseError::new("out_of_range", message))
}

impl AttributeValues {
    /// Name and comparable value of each, for the table that filters look into.
    pub(crate) fn index_values(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| {
            let value = match value {
                AttributeValue::Text(text) => index_value(text),
                AttributeValue::Integer(number) => number.to_string(),
                AttributeValue::Boolean(yes) => yes.to_string(),
            };
            (name.as_str(), value)
        })
    }

    /// The values that are texts, for word search.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, value)| match value {
            AttributeValue::Text(text) => Some(text.as_str()),
            AttributeValue::Integer(_) | AttributeValue::Boolean(_) => None,
        })
    }
}

/// A value as filters compare it.
pub(crate) fn index_value(text: &str) -> String {
    fold_to(text, INDEX_WIDTH)
}

impl Serialize for AttributeValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            match value {
                AttributeValue::Text(text) => map.serialize_entry(name, text)?,
                AttributeValue::Integer(number) => map.serialize_entry(name, number)?,
                AttributeValue::Boolean(yes) => map.serialize_entry(name, yes)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> AttributeSchema {
        let specs = json!([
            {"name": "brand", "label": "Brand", "kind": "choice", "options": ["Apple", "OnePlus"], "required": true},
            {"name": "ram", "label": "RAM", "kind": "integer", "min": 1, "max": 64, "unit": "GB"},
            {"name": "model", "label": "Model", "kind": "text", "maxLength": 10},
            {"name": "boxed", "label": "With box", "kind": "boolean"},
        ]);
        AttributeSchema::parse(serde_json::from_value(specs).unwrap()).unwrap()
    }

    fn read(given: Json, completeness: Completeness) -> Result<AttributeValues, Vec<(String, String)>> {
        let given = given.as_object().unwrap();
        schema()
            .read(given, completeness)
            .map_err(|invalid| invalid.0.into_iter().map(|error| (error.field, error.code)).collect())
    }

    #[test]
    fn values_keep_the_order_of_their_category() {
        let values =
            read(json!({"boxed": false, "ram": 8, "brand": "Apple"}), Completeness::Complete).unwrap();
        assert_eq!(serde_json::to_string(&values).unwrap(), r#"{"brand":"Apple","ram":8,"boxed":false}"#);
        let indexed: Vec<_> = values.index_values().collect();
        assert_eq!(
            indexed,
            [("brand", "apple".to_owned()), ("ram", "8".to_owned()), ("boxed", "false".to_owned())]
        );
    }

    #[test]
    fn every_wrong_attribute_is_named() {
        let given =
            json!({"brand": "Nokia", "ram": 65, "model": "12345678901", "boxed": "yes", "colour": "red"});
        let errors = read(given, Completeness::Complete).unwrap_err();
        let named: Vec<_> = errors.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
        assert_eq!(
            named,
            [
                ("attributes.colour", "unknown_attribute"),
                ("attributes.brand", "not_an_option"),
                ("attributes.ram", "out_of_range"),
                ("attributes.model", "too_long"),
                ("attributes.boxed", "not_a_boolean"),
            ]
        );
    }

    #[test]
    fn a_draft_may_lack_what_is_required() {
        assert!(read(json!({}), Completeness::Draft).is_ok());
        assert!(read(json!({"brand": null}), Completeness::Draft).is_ok());
        let errors = read(json!({"brand": null}), Completeness::Complete).unwrap_err();
        assert_eq!(errors, [("attributes.brand".to_owned(), "required".to_owned())]);
    }

    #[test]
    fn a_number_is_not_written_as_text_or_fraction() {
        for wrong in [json!("8"), json!(8.5), json!(true), json!([8])] {
            assert!(read(json!({"brand": "Apple", "ram": wrong}), Completeness::Complete).is_err());
        }
    }
}
