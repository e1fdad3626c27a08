//! JSON bodies: the right content type, within the limit, of the right form, and valid.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use kernel::{FieldError, InvalidInput};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::from_slice;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::http::error::ApiError;
use actix_web::http::StatusCode;

/// A JSON body that was read, parsed and validated. Unknown fields are refused by `deny_unknown_fields` on `T`.
#[derive(Debug)]
pub(crate) struct Valid<T>(
    /// What it says.
    pub(crate) T,
    /// The bytes it came as, by which a repetition is known.
    pub(crate) Bytes,
);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Valid<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(not_json());
            }
            let bytes = bytes.await.map_err(|error| ApiError::of_status(error.error_response().status()))?;
            parse(&bytes).map(|value| Self(value, bytes))
        })
    }
}

/// A JSON body that may be left out: no bytes at all are none, and so is null.
#[derive(Debug)]
pub(crate) struct Optional<T>(pub(crate) Option<T>);

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Optional<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| ApiError::of_status(error.error_response().status()))?;
            match bytes.trim_ascii() {
                b"" => Ok(Self(None)),
                _ if !is_json => Err(not_json()),
                b"null" => Ok(Self(None)),
                _ => parse(&bytes).map(|value| Self(Some(value))),
            }
        })
    }
}

/// For a field that may be left out, but is never null: `#[serde(default, deserialize_with = "not_null")]`.
pub(crate) fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    field: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

fn not_json() -> ApiError {
    let message = "send the body as application/json";
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, ApiError> {
    // serde would read a struct from an array too, field by field; every body of ours is an object.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::invalid("body", "invalid_type", "must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| refused(bytes, &error))?;
    json.end().map_err(|error| malformed(&error))?;
    value.validate().map_err(|errors| InvalidInput(flattened("", &errors)))?;
    Ok(value)
}

fn refused(bytes: &[u8], error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let inner = error.inner();
    let message = if inner.is_data() {
        let message = inner.to_string();
        message.split(" at line ").next().unwrap_or(&message).to_owned()
    } else if inner.to_string().starts_with("expected value") && from_slice::<IgnoredAny>(bytes).is_ok() {
        // A number where one of several words belongs is an error of the syntax to serde_json, and the only such one that
        // valid JSON can be.
        "is of another type than expected".to_owned()
    } else {
        return malformed(inner);
    };
    // serde names an unknown or missing field only in its message; the path leads to the object it is in.
    let path = match error.path().to_string() {
        path if path == "." => String::new(),
        path => path,
    };
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (field, code) = if message.starts_with("unknown field") {
        (joined_if_absent(&path, quoted), "unknown_field")
    } else if message.starts_with("missing field") {
        (joined(&path, quoted), "required")
    } else {
        (path, "invalid_type")
    };
    let field = if field.is_empty() { "body".to_owned() } else { field };
    ApiError::from(InvalidInput::field(field, code, message))
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let detail = format!("the body is not valid JSON: line {}, column {}", error.line(), error.column());
    ApiError::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
}

/// serde_path_to_error already ends the path with an unknown field's name.
fn joined_if_absent(path: &str, field: &str) -> String {
    if path == field || path.ends_with(&format!(".{field}")) { path.to_owned() } else { joined(path, field) }
}

fn joined(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The validator's errors as a flat list, with dotted paths in the client's spelling.
pub(super) fn flattened(path: &str, errors: &ValidationErrors) -> Vec<FieldError> {
    let mut flat = Vec::new();
    for (field, kind) in errors.errors() {
        let path = joined(path, &camel_case(field));
        match kind {
            ValidationErrorsKind::Field(faults) => flat.extend(faults.iter().map(|fault| {
                FieldError {
                    field: path.clone(),
                    code: fault.code.to_string(),
                    message: fault
                        .message
                        .as_ref()
                        .map_or_else(|| format!("is not valid ({})", fault.code), ToString::to_string),
                }
            })),
            ValidationErrorsKind::Struct(inner) => flat.extend(flattened(&path, inner)),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    flat.extend(flattened(&format!("{path}.{index}"), inner));
                }
            }
        }
    }
    flat
}

fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Input {
        #[validate(range(min = 1, message = "must be at least 1"))]
        item_count: u32,
        #[serde(default)]
        #[validate(length(max = 3))]
        tags: Vec<String>,
    }

    fn fault(body: &str) -> (String, String) {
        let problem =
            serde_json::to_value(parse::<Input>(body.as_bytes()).unwrap_err().problem("id", "/")).unwrap();
        let error = &problem["errors"][0];
        match error["field"].as_str() {
            Some(field) => (field.to_owned(), error["code"].as_str().unwrap().to_owned()),
            None => (String::new(), problem["code"].as_str().unwrap().to_owned()),
        }
    }

    #[test]
    fn every_fault_names_its_field() {
        let cases = [
            ("{}", "itemCount", "required"),
            (r#"{"itemCount": 1, "x": 2}"#, "x", "unknown_field"),
            (r#"{"itemCount": "1"}"#, "itemCount", "invalid_type"),
            (r#"{"itemCount": 0}"#, "itemCount", "range"),
            (r#"{"itemCount": 1, "tags": [1]}"#, "tags[0]", "invalid_type"),
            (r#"{"itemCount": 1, "tags": ["a", "b", "c", "d"]}"#, "tags", "length"),
            ("[]", "body", "invalid_type"),
            (" [1, []]", "body", "invalid_type"),
            ("{", "", "malformed_json"),
            (r#"{"itemCount": 1} x"#, "", "malformed_json"),
        ];
        for (body, field, code) in cases {
            assert_eq!(fault(body), (field.to_owned(), code.to_owned()), "{body}");
        }
        assert_eq!(parse::<Input>(br#"{"itemCount": 2}"#).unwrap().item_count, 2);
    }
}
