//! An announcement as staff send it. Its rules are [`AnnouncementInput::check`]'s; the schema says them too.

use chrono::{DateTime, Utc};
use kernel::{FieldErrors, InvalidInput};
use notify::{AnnouncementFields, AnnouncementInput, Audience, Broadcast, BroadcastInput};
use serde::Deserialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use validator::Validate;

use crate::http::texts;

/// All that can be written of an announcement.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AnnouncementBody {
    #[schema(schema_with = title)]
    title_en: String,
    #[schema(schema_with = title_hindi)]
    title_hi: Option<String>,
    #[schema(schema_with = text)]
    body_en: String,
    #[schema(schema_with = text_hindi)]
    body_hi: Option<String>,
    #[schema(schema_with = action)]
    action: Option<String>,
    /// Whom it is for.
    audience: Audience,
    /// Whether it stands in the inbox and among the announcements that are shown. It does, or is pushed, or both.
    in_app: bool,
    /// Whether it is pushed.
    push: bool,
    /// Higher ones are shown first.
    #[serde(default)]
    #[schema(example = 10, minimum = -100, maximum = 100)]
    priority: i32,
    /// Whether people can close it.
    dismissible: bool,
    /// When it begins; at once, if it is left out.
    starts_at: Option<DateTime<Utc>>,
    /// When it ends; never, if it is left out.
    expires_at: Option<DateTime<Utc>>,
}

/// What everybody who is connected is told.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BroadcastBody {
    #[schema(schema_with = title)]
    title_en: String,
    #[schema(schema_with = title_hindi)]
    title_hi: Option<String>,
    #[schema(schema_with = text)]
    body_en: String,
    #[schema(schema_with = text_hindi)]
    body_hi: Option<String>,
    #[schema(schema_with = action)]
    action: Option<String>,
}

/// Whom an announcement would be for.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AudienceBody {
    /// Whom.
    audience: Audience,
}

fn title() -> ObjectBuilder {
    texts::line(2, 120).description(Some("The title in English")).examples(["Festival week"])
}

fn title_hindi() -> ObjectBuilder {
    let title = texts::line(2, 120).description(Some("The title in Hindi; the English one stands in for it"));
    texts::or_null(title).examples(["त्योहार सप्ताह"])
}

fn text() -> ObjectBuilder {
    let text = texts::lines(2, 1_000).description(Some("The text in English"));
    text.examples(["Boosts cost half until Sunday."])
}

fn text_hindi() -> ObjectBuilder {
    let text =
        texts::lines(2, 1_000).description(Some("The text in Hindi; the English one stands in for it"));
    texts::or_null(text).examples(["रविवार तक बूस्ट आधे दाम पर।"])
}

fn action() -> ObjectBuilder {
    let path = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(300))
        .pattern(Some(r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$"))
        .description(Some("Where it leads inside the app: a path"));
    texts::or_null(path).examples(["/boosts"])
}

impl AnnouncementBody {
    /// The announcement, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<AnnouncementFields, InvalidInput> {
        let input = AnnouncementInput {
            title_en: self.title_en,
            title_hi: self.title_hi,
            body_en: self.body_en,
            body_hi: self.body_hi,
            action: self.action,
            audience: self.audience,
            in_app: self.in_app,
            push: self.push,
            priority: self.priority,
            dismissible: self.dismissible,
            starts_at: self.starts_at,
            expires_at: self.expires_at,
        };
        input.check()
    }
}

impl BroadcastBody {
    /// The broadcast, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<Broadcast, InvalidInput> {
        let Self { title_en, title_hi, body_en, body_hi, action } = self;
        BroadcastInput { title_en, title_hi, body_en, body_hi, action }.check()
    }
}

impl AudienceBody {
    /// The audience, or what is wrong with it.
    pub(super) fn parse(self) -> Result<Audience, InvalidInput> {
        let mut errors = FieldErrors::default();
        errors.check_within("audience", self.audience.check());
        errors.finish().map(|()| self.audience)
    }
}
