//! How one wants to be told: categories and kinds by ways, and quiet hours.

use actix_web::{get, put, web};
use kernel::{FieldErrors, InvalidInput};
use notify::{KindPreference, NewChoices, Preference, PreferencesView, QuietHours, QuietHoursText};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type};
use validator::Validate;

use crate::http::error::ApiResult;
use crate::http::extract::{Member, Valid};
use crate::state::AppState;

/// What to change; what is left out stays as it is.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PreferencesBody {
    /// Categories and ways, on or off; the last of two choices about the same thing holds.
    #[serde(default)]
    #[validate(length(max = 100, message = "must be at most 100 choices"))]
    #[schema(max_items = 100, example = json!([{"category": "boosts", "channel": "push", "enabled": false}]))]
    preferences: Vec<Preference>,
    /// Single kinds and ways, on or off, which come before their category's; null takes such a choice away.
    #[serde(default)]
    #[validate(length(max = 200, message = "must be at most 200 choices"))]
    #[schema(max_items = 200, example = json!([{"kind": "listing.approved", "channel": "push", "enabled": false}]))]
    kinds: Vec<KindPreference>,
    /// When to be left alone; null takes quiet hours away.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = quiet_hours)]
    quiet_hours: Option<Option<QuietHoursText>>,
}

/// Tells null, which takes quiet hours away, from a field that is left out.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<QuietHoursText>>, D::Error> {
    Option::deserialize(field).map(Some)
}

fn quiet_hours() -> ObjectBuilder {
    let time = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(5))
            .max_length(Some(5))
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$"))
    };
    ObjectBuilder::new()
        .schema_type(SchemaType::Array(vec![Type::Object, Type::Null]))
        .description(Some("When to be left alone, in Indian time; null takes quiet hours away"))
        .property("start", time())
        .property("end", time())
        .required("start")
        .required("end")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([serde_json::json!({"start": "22:00", "end": "07:00"})])
}

impl PreferencesBody {
    fn choices(self) -> Result<NewChoices, InvalidInput> {
        let quiet_hours = self.quiet_hours()?;
        Ok(NewChoices { preferences: self.preferences, kinds: self.kinds, quiet_hours })
    }

    fn quiet_hours(&self) -> Result<Option<Option<QuietHours>>, InvalidInput> {
        let Some(Some(text)) = &self.quiet_hours else {
            return Ok(self.quiet_hours.as_ref().map(|_| None));
        };
        let mut errors = FieldErrors::default();
        match errors.check_within("quietHours", QuietHours::parse(&text.start, &text.end)) {
            Some(hours) => Ok(Some(Some(hours))),
            None => Err(errors.into_error()),
        }
    }
}

/// Shows how you want to be told: each category by each way, the kinds for which you chose otherwise, your quiet hours,
/// and by which ways each kind goes after all that.
///
/// What belongs to a category under `locked` goes whatever is chosen.
#[utoipa::path(
    tag = "notifications",
    operation_id = "notificationPreferences",
    responses((status = 200, description = "What holds now", body = PreferencesView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/notifications/preferences")]
pub(crate) async fn notification_preferences(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<PreferencesView>> {
    Ok(web::Json(state.market.notify.preferences(member.user).await?))
}

/// Chooses how you want to be told.
///
/// What is chosen for a kind comes before what is chosen for its category. It holds for messages that wait to be sent,
/// too. In quiet hours nothing but critical messages goes by push, SMS and
/// mail; the rest comes when they end, and stands in the inbox at once.
#[utoipa::path(
    tag = "notifications",
    operation_id = "chooseNotifications",
    request_body = PreferencesBody,
    responses((status = 200, description = "What holds now", body = PreferencesView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[put("/api/notifications/preferences")]
pub(crate) async fn choose_notifications(
    member: Member,
    state: web::Data<AppState>,
    body: Valid<PreferencesBody>,
) -> ApiResult<web::Json<PreferencesView>> {
    Ok(web::Json(state.market.notify.choose(member.user, &body.0.choices()?).await?))
}
