//! What staff write of an announcement.

use chrono::{DateTime, Utc};
use kernel::{FieldErrors, InvalidInput, bounded_text};
use serde::{Deserialize, Serialize};

use super::Audience;
use crate::Language;

/// The longest title and text, in characters.
const TITLE: usize = 120;
const BODY: usize = 1_000;

/// An announcement as staff write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnnouncementInput {
    /// The title in English.
    #[schema(example = "Festival week")]
    pub title_en: String,
    /// The title in Hindi; the English one stands in for it.
    #[serde(default)]
    pub title_hi: Option<String>,
    /// The text in English.
    #[schema(example = "Boosts cost half until Sunday.")]
    pub body_en: String,
    /// The text in Hindi; the English one stands in for it.
    #[serde(default)]
    pub body_hi: Option<String>,
    /// Where it leads inside the app: a path.
    #[serde(default)]
    #[schema(example = "/boosts")]
    pub action: Option<String>,
    /// Whom it is for.
    pub audience: Audience,
    /// Whether it stands in the inbox and among the announcements that are shown.
    pub in_app: bool,
    /// Whether it is pushed.
    pub push: bool,
    /// Higher ones are shown first.
    #[serde(default)]
    pub priority: i32,
    /// Whether people can close it.
    pub dismissible: bool,
    /// When it begins; at once when it is left out.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// When it ends; never when it is left out.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An announcement that says all it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct AnnouncementFields(pub(super) AnnouncementInput);

impl AnnouncementInput {
    /// Checks what was written.
    ///
    /// # Errors
    /// With every field that is wrong.
    pub fn check(self) -> Result<AnnouncementFields, InvalidInput> {
        let mut errors = FieldErrors::default();
        let mut text = |field: &str, text: &str, max: usize, lines: bool| {
            errors.check(field, bounded_text(text, 2, max, lines)).unwrap_or_default()
        };
        let title_en = text("titleEn", &self.title_en, TITLE, false);
        let body_en = text("bodyEn", &self.body_en, BODY, true);
        let title_hi = self.title_hi.as_deref().map(|title| text("titleHi", title, TITLE, false));
        let body_hi = self.body_hi.as_deref().map(|body| text("bodyHi", body, BODY, true));
        if !self.in_app && !self.push {
            errors.add("inApp", "required", "it must stand in the inbox, be pushed, or both");
        }
        if self.starts_at.zip(self.expires_at).is_some_and(|(starts, expires)| expires <= starts) {
            errors.add("expiresAt", "out_of_range", "must be after startsAt");
        }
        if !(-100..=100).contains(&self.priority) {
            errors.add("priority", "out_of_range", "must be from -100 to 100");
        }
        if self.action.as_deref().is_some_and(|action| !crate::delivery::is_path(action)) {
            errors.add("action", "invalid_path", "must be a path inside the app, such as /boosts");
        }
        errors.check_within("audience", self.audience.check());
        errors.finish()?;
        let micros = |at: Option<DateTime<Utc>>| at.map(kernel::micros);
        Ok(AnnouncementFields(Self {
            title_en,
            body_en,
            title_hi,
            body_hi,
            starts_at: micros(self.starts_at),
            expires_at: micros(self.expires_at),
            ..self
        }))
    }
}

impl AnnouncementFields {
    /// What was written.
    pub fn input(&self) -> &AnnouncementInput {
        &self.0
    }

    /// Title and text in a language.
    pub(super) fn words(&self, language: Language) -> (&str, &str) {
        let Self(input) = self;
        match language {
            Language::English => (&input.title_en, &input.body_en),
            Language::Hindi => (
                input.title_hi.as_deref().unwrap_or(&input.title_en),
                input.body_hi.as_deref().unwrap_or(&input.body_en),
            ),
        }
    }
}
