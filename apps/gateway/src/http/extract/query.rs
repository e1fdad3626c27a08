//! Query strings: parsed into a type, unknown parameters refused, every fault named.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use kernel::InvalidInput;
use serde::de::DeserializeOwned;

use crate::http::error::ApiError;

/// A query string as a type. Put `deny_unknown_fields` on it.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    // The urlencoded form would take a parameter without a value for one that is not there.
    if let Some((name, _)) = url::form_urlencoded::parse(query.as_bytes()).find(|(_, value)| value.is_empty())
    {
        let message = "must have a value: leave it out otherwise";
        return Err(ApiError::from(InvalidInput::field(name.into_owned(), "invalid_value", message)));
    }
    // A JSON object of strings would lose numbers; the urlencoded form keeps every value text until its field
    // says what it wants to be.
    let deserializer = serde_html_form::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let message = error.inner().to_string();
        let quoted = message.split('`').nth(1).unwrap_or_default().to_owned();
        let (field, code) = if message.starts_with("unknown field") {
            (quoted, "unknown_parameter")
        } else if message.starts_with("missing field") {
            (quoted, "required")
        } else {
            (error.path().to_string(), "invalid_value")
        };
        ApiError::from(InvalidInput::field(field, code, message))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<u32>,
        #[serde(default)]
        tag: Vec<String>,
    }

    fn field(query: &str) -> String {
        let problem = serde_json::to_value(parse::<Wanted>(query).unwrap_err().problem("id", "/")).unwrap();
        problem["errors"][0]["field"].as_str().unwrap().to_owned()
    }

    #[test]
    fn every_fault_names_its_parameter() {
        assert_eq!(field("limit=x"), "limit");
        assert_eq!(field("limit=-1"), "limit");
        assert_eq!(field("pages=3"), "pages");
        assert_eq!(field("limit="), "limit");
        let wanted = parse::<Wanted>("limit=5&tag=a&tag=b").unwrap();
        assert_eq!((wanted.limit, wanted.tag.len()), (Some(5), 2));
    }
}
