//! Changing one's phone number or e-mail address.

use actix_web::{HttpRequest, post, web};
use identity::{Contact, OtpCode, OtpSentView, Purpose, UserView};
use kernel::{FieldErrors, InvalidInput};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::auth::{SendOtpBody, asked_language};
use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Member, Valid, not_null};
use crate::state::AppState;

/// A new contact and the code that was sent to it: give either `phone` or `email`.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schema(min_properties = 2, max_properties = 2)]
pub(crate) struct ConfirmContactBody {
    /// The new mobile number.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(
        nullable = false,
        example = "+919876543299",
        min_length = 10,
        max_length = 32,
        pattern = r"^(\+?91|0)?[6-9][0-9]{9}$"
    )]
    phone: Option<String>,
    /// The new e-mail address.
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
}

impl ConfirmContactBody {
    fn parse(&self) -> Result<(Contact, OtpCode), InvalidInput> {
        let mut errors = FieldErrors::default();
        let otp = errors.check("otp", OtpCode::parse(&self.otp));
        match (Contact::parse(self.phone.as_deref(), self.email.as_deref()), otp) {
            (Ok(contact), Some(otp)) => Ok((contact, otp)),
            (contact, _) => {
                let mut wrong = contact.err().map(|InvalidInput(wrong)| wrong).unwrap_or_default();
                wrong.extend(errors.into_error().0);
                Err(InvalidInput(wrong))
            }
        }
    }
}

/// Sends a code to a new phone number or e-mail address of the caller.
///
/// The answer is the same whether the contact is another account's or not.
#[utoipa::path(
    tag = "users",
    operation_id = "askContactChange",
    request_body = SendOtpBody,
    responses((status = 200, description = "The code is on its way", body = OtpSentView),
              (status = 422, description = "The provider does not send to this contact", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/users/me/contact")]
pub(crate) async fn ask_contact_change(
    request: HttpRequest,
    member: Member,
    state: web::Data<AppState>,
    body: Valid<SendOtpBody>,
) -> ApiResult<web::Json<OtpSentView>> {
    let contact = body.0.parse()?;
    let purpose = Purpose::ContactChange(member.user);
    let client = member.caller.origin.address.as_deref().unwrap_or("unknown");
    let sent = state.market.send_otp(&contact, purpose, client, asked_language(&request)).await?;
    Ok(web::Json(sent))
}

/// Makes a new phone number or e-mail address the caller's own, given the code that was sent to it.
///
/// All of the caller's other sessions end.
#[utoipa::path(
    tag = "users",
    operation_id = "confirmContactChange",
    request_body = ConfirmContactBody,
    responses((status = 200, description = "The profile as it is now", body = UserView),
              (status = 409, description = "Another account uses the contact", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "The code is not valid", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/users/me/contact/confirm")]
pub(crate) async fn confirm_contact_change(
    member: Member,
    state: web::Data<AppState>,
    body: Valid<ConfirmContactBody>,
) -> ApiResult<web::Json<UserView>> {
    let (contact, otp) = body.0.parse()?;
    let who = (member.user, member.session);
    Ok(web::Json(state.market.confirm_contact_change(who, &contact, &otp).await?))
}
