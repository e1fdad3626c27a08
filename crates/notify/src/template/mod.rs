//! What people are told, in words: a template for each kind, way and language.
//!
//! The defaults stand in the code. Staff may put their own in a default's place; such a template is checked when it is
//! written, so that one which is stored can be filled in.

mod defaults;
mod engine;
mod filters;
mod manage;
mod rendered;
mod rows;
mod rules;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Channel, Kind, Language};

pub(crate) use engine::Engine;
pub use rendered::Rendered;
pub(crate) use rendered::{Words, render};
pub(crate) use rows::overrides;

/// Which template is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TemplateKey {
    /// The kind.
    pub kind: Kind,
    /// The way.
    pub channel: Channel,
    /// The language.
    pub language: Language,
}

/// A template's texts. Each may name the kind's variables: `{{ title }}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateParts {
    /// The title of a notification or push message, the subject of a mail. An SMS has none.
    #[serde(default)]
    #[schema(example = "Your listing is live")]
    pub title: Option<String>,
    /// The text.
    #[schema(example = "“{{ title }}” is now shown to buyers.")]
    pub body: String,
    /// The same as HTML, of a mail alone. What it names is escaped.
    #[serde(default)]
    pub html: Option<String>,
    /// Under which id an SMS is registered with the Indian operators (DLT); they drop what is not registered.
    #[serde(default)]
    #[schema(example = "1107160000000012345")]
    pub dlt_template_id: Option<String>,
}

/// A template as staff see it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateView {
    /// The kind's name.
    #[schema(example = "listing.approved")]
    pub kind: &'static str,
    /// The way.
    pub channel: Channel,
    /// `en` or `hi`.
    #[schema(example = "en")]
    pub language: &'static str,
    /// What holds.
    #[serde(flatten)]
    pub parts: TemplateParts,
    /// Whether staff put it in the default's place.
    pub overridden: bool,
    /// How often it was changed; it is the ETag too.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Option<DateTime<Utc>>,
    /// Who changed it last.
    pub updated_by: Option<String>,
}
