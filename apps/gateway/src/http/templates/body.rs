//! A template as administrators send it, and as it reads with samples.

use notify::{Rendered, TemplateParts};
use serde::{Deserialize, Serialize};
use validator::Validate;

/// A template's texts. Each may name the kind's variables: `{{ title }}`.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TemplateBody {
    /// The title of a notification or push message, the subject of a mail. An SMS has none.
    #[schema(example = "Your listing is live", min_length = 1, max_length = 1_000)]
    title: Option<String>,
    /// The text.
    #[schema(example = "“{{ title }}” is now shown to buyers.", min_length = 1, max_length = 20_000)]
    body: String,
    /// The same as HTML, of a mail alone. What it names is escaped.
    #[schema(example = "<p>“{{ title }}” is now shown to buyers.</p>", min_length = 1, max_length = 100_000)]
    html: Option<String>,
    /// Under which id an SMS is registered with the Indian operators (DLT); they drop what is not registered.
    #[schema(example = "1107160000000012345", pattern = "^[0-9]{10,30}$")]
    dlt_template_id: Option<String>,
}

impl From<TemplateBody> for TemplateParts {
    fn from(body: TemplateBody) -> Self {
        let TemplateBody { title, body, html, dlt_template_id } = body;
        Self { title, body, html, dlt_template_id }
    }
}

/// A template filled in with samples.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplatePreview {
    /// The title or subject, if the way has one.
    #[schema(example = "Your listing is live")]
    title: Option<String>,
    /// The text.
    #[schema(example = "“Red bicycle, 21 gears” is now shown to buyers.")]
    body: String,
    /// The same as HTML, of a mail.
    html: Option<String>,
    /// Under which id an SMS is registered.
    dlt_template_id: Option<String>,
}

impl From<Rendered> for TemplatePreview {
    fn from(rendered: Rendered) -> Self {
        let Rendered { title, body, html, dlt_template_id } = rendered;
        Self { title, body, html, dlt_template_id }
    }
}
