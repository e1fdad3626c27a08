//! Asking for a login code.

use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::{HttpRequest, post, web};
use identity::{Contact, OtpSentView, Purpose};
use kernel::InvalidInput;
use notify::Language;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{ClientOrigin, Valid, not_null};
use crate::state::AppState;

/// Where to send a code: give either `phone` or `email`.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(min_properties = 1, max_properties = 1)]
pub(crate) struct SendOtpBody {
    /// An Indian mobile number; the code comes by SMS.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        example = "+919876543210",
        min_length = 10,
        max_length = 32,
        pattern = r"^(\+?91|0)?[6-9][0-9]{9}$"
    )]
    phone: Option<String>,
    /// An e-mail address; the code comes by mail.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        max_length = 254,
        pattern = r"^[A-Za-z0-9_+-]{1,15}(\.[A-Za-z0-9_+-]{1,15}){0,3}@([A-Za-z0-9]{1,50}\.){1,3}[A-Za-z]{2,10}$"
    )]
    email: Option<String>,
}

impl SendOtpBody {
    /// The contact that one of the two fields names.
    pub(crate) fn parse(&self) -> Result<Contact, InvalidInput> {
        Contact::parse(self.phone.as_deref(), self.email.as_deref())
    }
}

/// The first language that the client asks for.
pub(crate) fn asked_language(request: &HttpRequest) -> Language {
    let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let first = header.and_then(|value| value.split([',', ';']).next()).unwrap_or_default();
    Language::of_tag(first.trim())
}

/// Sends a login code by SMS or mail.
///
/// The code has six digits, is valid for five minutes and five guesses, and works once; a new one takes the place of
/// the one before. The answer is the same whether the contact has an account or not: the first login makes one. The
/// text is in Hindi when `Accept-Language` asks for it first.
#[utoipa::path(
    tag = "auth",
    operation_id = "sendOtp",
    request_body = SendOtpBody,
    responses((status = 200, description = "The code is on its way", body = OtpSentView),
              (status = 422, description = "The provider does not send to this contact", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("public")))
)]
#[post("/api/auth/send-otp")]
pub(crate) async fn send_otp(
    request: HttpRequest,
    origin: ClientOrigin,
    state: web::Data<AppState>,
    body: Valid<SendOtpBody>,
) -> ApiResult<web::Json<OtpSentView>> {
    let contact = body.0.parse()?;
    let language = asked_language(&request);
    let sent = state.market.send_otp(&contact, Purpose::Login, origin.address(), language).await?;
    Ok(web::Json(sent))
}
