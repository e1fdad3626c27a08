//! Filling in a template.

use std::fmt;

use serde_json::{Map, Value as Json, json};

use super::engine::{Engine, Form};
use super::{TemplateKey, TemplateParts, defaults, rules};
use crate::NotifyError;

/// A text that was filled in. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The title or subject, if the way has one. It is one line.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Under which id an SMS is registered.
    pub dlt_template_id: Option<String>,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered")
    }
}

/// What texts name beside the kind's own variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) brand: &'a str,
    pub(crate) link: &'a str,
    /// Empty where there is nothing to unsubscribe from.
    pub(crate) unsubscribe: &'a str,
    pub(crate) count: i64,
}

impl Words<'_> {
    fn beside(&self, params: &Json) -> Json {
        let mut values: Map<String, Json> = params.as_object().cloned().unwrap_or_default();
        values.insert("brand".to_owned(), json!(self.brand));
        values.insert("link".to_owned(), json!(self.link));
        values.insert("unsubscribe".to_owned(), json!(self.unsubscribe));
        values.insert("count".to_owned(), json!(self.count));
        Json::Object(values)
    }
}

/// Fills in what staff wrote or, where that is missing or fails with these values, the default.
///
/// # Errors
/// When the default fails too, which only a wrong parameter makes it do.
pub(crate) fn render(
    engine: &Engine,
    key: TemplateKey,
    own: Option<&TemplateParts>,
    params: &Json,
    words: Words<'_>,
) -> Result<Rendered, NotifyError> {
    let values = words.beside(params);
    if let Some(own) = own {
        match fill(engine, own, &values) {
            Ok(rendered) => return Ok(rendered),
            // Its samples passed when it was written; the catalogue may have changed since.
            Err(error) => tracing::error!(kind = key.kind.as_str(), channel = key.channel.as_str(), %error,
                "a template of ours fails: the default is used"),
        }
    }
    fill(engine, &defaults::of(key), &values).map_err(NotifyError::Render)
}

/// The template with its samples, for staff who write it.
pub(super) fn preview(
    engine: &Engine,
    key: TemplateKey,
    parts: &TemplateParts,
    brand: &str,
) -> Result<Rendered, NotifyError> {
    let mut values = rules::samples(key.kind);
    if let Some(values) = values.as_object_mut() {
        values.insert("brand".to_owned(), json!(brand));
    }
    fill(engine, parts, &values).map_err(NotifyError::Render)
}

fn fill(engine: &Engine, parts: &TemplateParts, values: &Json) -> Result<Rendered, String> {
    let title = parts.title.as_deref().map(|title| engine.fill(Form::Plain, title, values)).transpose()?;
    Ok(Rendered {
        // Values come from people, and a subject is one line.
        title: title.map(|title| title.split_whitespace().collect::<Vec<_>>().join(" ")),
        body: engine.fill(Form::Plain, &parts.body, values)?,
        html: parts.html.as_deref().map(|html| engine.fill(Form::Html, html, values)).transpose()?,
        dlt_template_id: parts.dlt_template_id.clone(),
    })
}
