//! Lists: `from` and `to` in seconds since 1970, both included, then `skip` and `count`, the newest first
//! (razorpay.com/docs/api/orders/fetch-all).

use std::collections::HashMap;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::razorpay::books::Entity;
use crate::razorpay::error::ApiError;

const COUNT: usize = 10;
const MAX_COUNT: usize = 100;

/// Which entities of a list are asked for.
pub(super) struct Window {
    from: Option<i64>,
    to: Option<i64>,
    skip: usize,
    count: usize,
    /// The parameters that only this list has.
    rest: HashMap<String, String>,
}

impl Window {
    /// Reads the query string of a list that has these parameters of its own.
    ///
    /// # Errors
    /// When a number is none or out of its range, or a parameter is unknown.
    pub(super) fn parse(query: &str, own: &[&str]) -> Result<Self, ApiError> {
        let mut rest: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let window = Self {
            from: number(&mut rest, "from")?,
            to: number(&mut rest, "to")?,
            skip: number(&mut rest, "skip")?.unwrap_or(0),
            count: number(&mut rest, "count")?.unwrap_or(COUNT),
            rest,
        };
        if window.count > MAX_COUNT {
            return Err(ApiError::field("count", format!("The count may not be greater than {MAX_COUNT}.")));
        }
        if window.count == 0 {
            return Err(ApiError::field("count", "The count must be at least 1."));
        }
        // What is to be expanded has no bearing here: cards and the like are not kept.
        let is_extra = |name: &&str| !name.starts_with("expand[") && !own.contains(name);
        let mut extra: Vec<_> = window.rest.keys().map(String::as_str).filter(is_extra).collect();
        extra.sort_unstable();
        if extra.is_empty() { Ok(window) } else { Err(ApiError::extra_fields(&extra)) }
    }

    /// A parameter that only this list has.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.rest.get(name).map(String::as_str)
    }

    /// The asked-for part of these, on the wire.
    pub(super) fn show<'a, T: Entity + 'a>(&self, newest_first: impl Iterator<Item = &'a T>) -> Value {
        let items: Vec<_> = newest_first
            .filter(|entity| {
                self.from.is_none_or(|from| entity.created_at() >= from)
                    && self.to.is_none_or(|to| entity.created_at() <= to)
            })
            .skip(self.skip)
            .take(self.count)
            .map(Entity::view)
            .collect();
        json!({"entity": "collection", "count": items.len(), "items": items})
    }
}

fn number<T: std::str::FromStr>(
    parameters: &mut HashMap<String, String>,
    name: &str,
) -> Result<Option<T>, ApiError> {
    match parameters.remove(name).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(ApiError::field(name, format!("The {name} must be an integer."))),
        },
    }
}
