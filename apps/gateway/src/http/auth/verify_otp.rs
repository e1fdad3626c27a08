//! Logging in with a code.

use actix_web::{post, web};
use identity::{LoggedIn, VerifyOtp};
use kernel::{InvalidInput, Origin};
use notify::{Platform, PushTarget, TargetKind};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{ClientOrigin, Valid, not_null};
use crate::http::texts;
use crate::state::AppState;

/// A code and the contact it was sent to: give either `phone` or `email`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(min_properties = 2)]
pub(crate) struct VerifyOtpBody {
    /// The mobile number.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        example = "+919876543210",
        min_length = 10,
        max_length = 32,
        pattern = r"^(\+?91|0)?[6-9][0-9]{9}$"
    )]
    phone: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        max_length = 254,
        pattern = r"^[A-Za-z0-9_+-]{1,15}(\.[A-Za-z0-9_+-]{1,15}){0,3}@([A-Za-z0-9]{1,50}\.){1,3}[A-Za-z]{2,10}$"
    )]
    email: Option<String>,
    /// The code.
    #[schema(example = "123456", pattern = r"^[0-9]{6}$", min_length = 6, max_length = 6)]
    otp: String,
    /// What a new account is called; an account that exists keeps its name.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(schema_with = texts::person_name)]
    name: Option<String>,
    /// Where the device takes push messages, as its push service gave it.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        example = "fcm-token:APA91b",
        min_length = 1,
        max_length = 1024,
        pattern = r"^[A-Za-z0-9_:.-]+$"
    )]
    device_token: Option<String>,
    /// What sort of device that is; `android`, if it is left out.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    device_platform: Option<Platform>,
}

impl VerifyOtpBody {
    /// The login, and the device as one that takes push messages.
    fn parse(&self, origin: Origin) -> Result<(VerifyOtp, Option<(Platform, PushTarget)>), InvalidInput> {
        let contact = (self.phone.as_deref(), self.email.as_deref());
        let login = VerifyOtp::parse(contact, &self.otp, self.name.as_deref(), origin);
        let target = self.device_token.as_deref().map(|token| PushTarget::parse(TargetKind::Token, token));
        match (login, target.transpose()) {
            (Ok(login), Ok(target)) => {
                let platform = self.device_platform.unwrap_or(Platform::Android);
                Ok((login, target.map(|target| (platform, target))))
            }
            (login, target) => {
                let mut wrong = login.err().map(|InvalidInput(wrong)| wrong).unwrap_or_default();
                wrong.extend(target.err().map(|error| error.of("deviceToken")));
                Err(InvalidInput(wrong))
            }
        }
    }
}

/// Logs in with a code.
///
/// The first login with a contact makes an account. Whatever is wrong with the code, the answer is the same 401
/// `invalid_otp`. Somebody who is blocked gets 403 `account_suspended` or `account_banned`. With `deviceToken`, push
/// messages reach the device from then on.
#[utoipa::path(
    tag = "auth",
    operation_id = "verifyOtp",
    request_body = VerifyOtpBody,
    responses((status = 200, description = "Logged in", body = LoggedIn),
              (status = 401, description = "The code is not valid", body = Problem, content_type = "application/problem+json"),
              (status = 403, description = "The account is blocked", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("public")))
)]
#[post("/api/auth/verify-otp")]
pub(crate) async fn verify_otp(
    origin: ClientOrigin,
    state: web::Data<AppState>,
    body: Valid<VerifyOtpBody>,
) -> ApiResult<web::Json<LoggedIn>> {
    let (login, device) = body.0.parse(origin.0)?;
    Ok(web::Json(state.market.log_in(&login, device.as_ref()).await?))
}
