//! A kind as text: its dotted name, in addresses, in JSON and in the API's document.

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema};

use super::{Kind, spec};

impl FromStr for Kind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = spec::ALL.iter().find(|spec| spec.name == text);
        found
            .map(|spec| spec.kind)
            .ok_or_else(|| ParseError::new("unknown_kind", "is no kind of notification: see the catalogue"))
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().ok().ok_or_else(|| {
            let names = Self::all().map(Self::as_str).collect::<Vec<_>>().join(", ");
            serde::de::Error::custom(format!("unknown kind `{text}`, expected one of {names}"))
        })
    }
}

impl utoipa::PartialSchema for Kind {
    fn schema() -> RefOr<schema::Schema> {
        let names = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What somebody is told of"))
            .enum_values(Some(Self::all().map(Self::as_str)));
        RefOr::T(Schema::Object(names.build()))
    }
}

impl utoipa::ToSchema for Kind {}
