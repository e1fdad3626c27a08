//! One's own profile.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use identity::{DisplayName, Language, Pincode, Place, ProfileChanges, UserView};
use kernel::{FieldErrors, InvalidInput, PhotoId};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{IfMatch, Member, Valid, Versioned, conditional_json, not_null};
use crate::http::texts;
use crate::state::AppState;

/// What to change: a field that is left out stays as it is, and null empties one.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ProfileBody {
    /// What one is called.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(schema_with = texts::person_name)]
    name: Option<String>,
    /// Where one lives.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = home_city)]
    city: Option<Option<String>>,
    /// In which state.
    #[serde(default, deserialize_with = "given")]
    #[schema(schema_with = home_state)]
    state: Option<Option<String>>,
    /// The postal index number.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "411001", pattern = r"^[1-9][0-9]{5}$")]
    pincode: Option<Option<String>>,
    /// How one is addressed.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    language: Option<Language>,
    /// One's picture: the id of a photo from `POST /api/uploads` that no listing shows.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = Uuid, example = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    avatar_photo_id: Option<Option<PhotoId>>,
}

fn home_city() -> ObjectBuilder {
    texts::or_null(texts::line(1, 80)).description(Some("Where one lives")).examples(["Pune"])
}

fn home_state() -> ObjectBuilder {
    texts::or_null(texts::line(1, 80)).description(Some("In which state")).examples(["Maharashtra"])
}

/// Tells null, which empties a field, from a field that is left out.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}

impl ProfileBody {
    fn parse(&self) -> Result<ProfileChanges, InvalidInput> {
        let mut errors = FieldErrors::default();
        let name = errors.check("name", self.name.as_deref().map(DisplayName::parse).transpose());
        let mut place = |field, given: &Option<Option<String>>| match given {
            Some(Some(text)) => errors.check(field, Place::parse(text)).map(|place| Some(Some(place))),
            Some(None) => Some(Some(None)),
            None => Some(None),
        };
        let (city, state) = (place("city", &self.city), place("state", &self.state));
        let pincode = match &self.pincode {
            Some(Some(text)) => errors.check("pincode", Pincode::parse(text)).map(|pin| Some(Some(pin))),
            Some(None) => Some(Some(None)),
            None => Some(None),
        };
        match (name, city, state, pincode) {
            (Some(name), Some(city), Some(state), Some(pincode)) => {
                Ok(ProfileChanges { name, city, state, pincode, language: self.language, avatar: None })
            }
            _ => Err(errors.into_error()),
        }
    }
}

/// Shows the caller's own profile, with its `ETag`.
#[utoipa::path(
    tag = "users",
    operation_id = "myProfile",
    responses((status = 200, description = "The profile", body = UserView),
              (status = 304, description = "The client has this version already")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/users/me")]
pub(crate) async fn my_profile(
    request: HttpRequest,
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let profile = state.market.identity.profile(member.user).await?;
    Ok(conditional_json(&request, &Versioned { version: profile.version, body: profile }))
}

/// Changes the caller's own profile.
///
/// With `If-Match`, only if nobody changed it since that version.
#[utoipa::path(
    tag = "users",
    operation_id = "updateMyProfile",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the version to change", example = "\"3\"")),
    request_body = ProfileBody,
    responses((status = 200, description = "The profile as it is now", body = UserView),
              (status = 412, description = "It was changed meanwhile", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[put("/api/users/me")]
pub(crate) async fn update_my_profile(
    request: HttpRequest,
    member: Member,
    state: web::Data<AppState>,
    version: IfMatch,
    body: Valid<ProfileBody>,
) -> ApiResult<HttpResponse> {
    let (changes, avatar) = (body.0.parse()?, body.0.avatar_photo_id);
    let profile = state.market.update_profile(member.user, &changes, avatar, version.0).await?;
    Ok(conditional_json(&request, &Versioned { version: profile.version, body: profile }))
}
