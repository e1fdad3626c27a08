//! Reads the JSON of a request field by field, in Razorpay's words for what is wrong.

use actix_web::HttpRequest;
use actix_web::http::header;
use serde_json::{Map, Value};

use crate::razorpay::error::ApiError;

/// The most notes there can be, and the most characters in a key or a value
/// (razorpay.com/docs/api/understand/#notes).
const MAX_NOTES: usize = 15;
const MAX_NOTE: usize = 256;

/// The least amount of an order or a refund, in paise.
pub(super) const MIN_AMOUNT: i64 = 100;

/// The fields of a body that have not been read yet.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the body; one that is not JSON has no fields, and neither has an empty one.
    ///
    /// # Errors
    /// When it is called JSON but is no JSON object.
    pub(super) fn parse(request: &HttpRequest, body: &[u8]) -> Result<Self, ApiError> {
        if body.is_empty() || !is_json(request) {
            return Ok(Self(Map::new()));
        }
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|error| ApiError::refused(format!("The request body is not valid JSON: {error}")))
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(ApiError::field(name, format!("The {name} must be an integer."))),
            },
        }
    }

    /// A text of so many characters at most.
    pub(super) fn text(&mut self, name: &str, longest: usize) -> Result<Option<String>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= longest => Ok(Some(text)),
            Some(Value::String(_)) => {
                Err(ApiError::field(name, format!("{name}: the length must be no more than {longest}.")))
            }
            Some(other) => Err(ApiError::field(name, format!("expected string but provided {other}"))),
        }
    }

    /// True or false, also as 1 or 0.
    pub(super) fn truth(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(truth)) => Ok(Some(truth)),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
            Some(_) => {
                let name_in_words = name.replace('_', " ");
                Err(ApiError::field(name, format!("The {name_in_words} field must be true or false.")))
            }
        }
    }

    /// The notes; none, or an empty list, is an empty dictionary.
    pub(super) fn notes(&mut self) -> Result<Map<String, Value>, ApiError> {
        let notes = match self.take("notes") {
            None => Map::new(),
            Some(Value::Array(list)) if list.is_empty() => Map::new(),
            Some(Value::Object(notes)) => notes,
            Some(_) => return Err(ApiError::field("notes", "Notes should be provided as a dictionary.")),
        };
        if notes.len() > MAX_NOTES {
            let description =
                format!("Number of fields in notes should be less than or equal to {MAX_NOTES}.");
            return Err(ApiError::field("notes", description));
        }
        for (key, value) in &notes {
            check_note(key, value)?;
        }
        Ok(notes)
    }

    /// An object in the body, to be read in the same way.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields))),
            Some(_) => Err(ApiError::field(name, format!("The {name} must be an array."))),
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When there are fields that nobody has asked for.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        let extra: Vec<_> = self.0.keys().map(String::as_str).collect();
        if extra.is_empty() { Ok(()) } else { Err(ApiError::extra_fields(&extra)) }
    }

    /// Null is as good as nothing.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }
}

fn check_note(key: &str, value: &Value) -> Result<(), ApiError> {
    if key.chars().count() > MAX_NOTE {
        let description = format!("Notes key cannot be greater than {MAX_NOTE} characters.");
        return Err(ApiError::field("notes", description));
    }
    let length = match value {
        Value::Array(_) | Value::Object(_) => {
            return Err(ApiError::field("notes", "Notes values themselves should not be an array."));
        }
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    if length > MAX_NOTE {
        let description = format!("Notes value cannot be greater than {MAX_NOTE} characters.");
        return Err(ApiError::field("notes", description));
    }
    Ok(())
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
