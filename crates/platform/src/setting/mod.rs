//! Settings: what each of them is, what is stored of it, and how it is read and changed.

mod cache;
mod change;
mod read;
mod rows;
mod rules;
pub mod settings;
mod view;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use kernel::Ambient;
use serde::Serialize;
use serde_json::Value as Json;
use store::Database;

use cache::Cache;
pub use rules::Rule;
pub use view::{SettingChangeView, SettingView};

/// What a setting is about; the settings page groups by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// The marketplace itself.
    General,
    /// Listings and who may reach their sellers.
    Listings,
    /// Money.
    Payments,
    /// Who gets in.
    Security,
}

/// What is known of a setting apart from its type.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Its name in the API and in the database.
    pub key: &'static str,
    /// What it is about.
    pub category: Category,
    /// Which values it takes.
    pub rule: Rule,
    /// Whether everybody may read it.
    pub is_public: bool,
    /// What it does, for the settings page.
    pub description: &'static str,
    default: Literal,
}

/// A default, as it can be written in a constant.
#[derive(Debug, Clone, Copy)]
enum Literal {
    Whole(i64),
    Text(&'static str),
    Switch(bool),
}

impl Definition {
    /// The value it has when nobody changed it.
    pub fn default_value(&self) -> Json {
        match self.default {
            Literal::Whole(number) => number.into(),
            Literal::Text(text) => text.into(),
            Literal::Switch(on) => on.into(),
        }
    }
}

/// A type that settings have: `i64`, `bool` or `String`.
pub trait SettingValue: Sized + Send + sealed::Sealed + 'static {
    /// How a default of this type is written in a constant.
    type Literal: Copy + Send + Sync + fmt::Debug;

    /// The default as a value.
    fn from_literal(literal: Self::Literal) -> Self;

    /// The value as it is stored, if it is of this type.
    fn from_json(value: &Json) -> Option<Self>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i64 {}
    impl Sealed for bool {}
    impl Sealed for String {}
}

impl SettingValue for i64 {
    type Literal = Self;

    fn from_literal(literal: Self) -> Self {
        literal
    }

    fn from_json(value: &Json) -> Option<Self> {
        value.as_i64()
    }
}

impl SettingValue for bool {
    type Literal = Self;

    fn from_literal(literal: Self) -> Self {
        literal
    }

    fn from_json(value: &Json) -> Option<Self> {
        value.as_bool()
    }
}

impl SettingValue for String {
    type Literal = &'static str;

    fn from_literal(literal: &'static str) -> Self {
        literal.to_owned()
    }

    fn from_json(value: &Json) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

/// A setting of one type. All of them are in [`settings`].
#[derive(Debug)]
pub struct Setting<T: SettingValue> {
    definition: Definition,
    default: T::Literal,
    value: PhantomData<fn() -> T>,
}

impl<T: SettingValue> Setting<T> {
    /// What is known of it apart from its type.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Its value, given what is stored of it.
    fn value(&self, stored: Option<&Json>) -> T {
        stored.and_then(T::from_json).unwrap_or_else(|| T::from_literal(self.default))
    }
}

/// Reads and changes settings. Cheap to clone; clones share what they have read.
#[derive(Debug, Clone)]
pub struct Settings {
    db: Database,
    ambient: Ambient,
    cache: Arc<Cache>,
}

impl Settings {
    /// How long it takes at most until a change made by another process is seen.
    pub const SEEN_WITHIN: Duration = Duration::from_secs(5);

    /// The settings of a database.
    pub fn new(db: Database, ambient: Ambient) -> Self {
        Self { db, ambient, cache: Arc::default() }
    }
}
