//! What Twilio reports of an SMS. The signature is over the address that Twilio called and the form's fields.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use kernel::{DeliveryId, FieldErrors, InvalidInput};
use notify::{SmsStatus, verify_twilio_signature};
use serde::Deserialize;
use url::form_urlencoded;

use crate::http::error::{ApiError, ApiResult, Problem};
use crate::http::extract::read_within;
use crate::state::AppState;

/// Where it comes to; the address is told to Twilio with each SMS.
const PATH: &str = "/api/notifications/sms-status";

/// The largest body that is read, in bytes; Twilio's have some hundreds.
const BODY_LIMIT: usize = 16 << 10;

/// How long a body may take to arrive. Twilio waits for fifteen seconds in all.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Which delivery; read after the signature was found right.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is read from the signed query; this is its description")]
pub(crate) struct SmsStatusParams {
    /// The delivery that the SMS is of.
    #[param(value_type = String, format = Uuid)]
    delivery: String,
}

/// What is read of a report.
struct Report {
    delivery: DeliveryId,
    message: String,
    status: SmsStatus,
    error: Option<u32>,
}

impl Report {
    fn parse(query: &[(String, String)], form: &[(String, String)]) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let delivery = value(query, "delivery").and_then(|id| id.parse().ok());
        if delivery.is_none() {
            errors.add("delivery", "invalid_value", "must be the id of a delivery");
        }
        // A Twilio id is two letters and 32 hexadecimal digits; more than its column takes is none.
        let message = value(form, "MessageSid").filter(|sid| (1..=64).contains(&sid.len()));
        if message.is_none() {
            errors.add("MessageSid", "invalid_value", "must be the message's id");
        }
        let status = errors
            .check("MessageStatus", value(form, "MessageStatus").unwrap_or_default().parse::<SmsStatus>());
        match (delivery, message, status) {
            (Some(delivery), Some(message), Some(status)) => {
                let error = value(form, "ErrorCode").and_then(|code| code.parse().ok());
                Ok(Self { delivery, message: message.to_owned(), status, error })
            }
            _ => Err(errors.into_error()),
        }
    }
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// Takes a report of Twilio's on what became of an SMS.
///
/// Signed with the token of the account that sent it, over the configured public address, its query and the form. Reports
/// come in any order and any number of times; only what is further along counts.
#[utoipa::path(
    tag = "notifications",
    operation_id = "receiveSmsStatus",
    params(SmsStatusParams,
           ("X-Twilio-Signature" = String, Header, description = "HMAC-SHA1 of the address and the form's fields with the account's token, in base64", example = "RSOYDt4T1cUTdK1PDd93/VVr8B8=")),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded", description = "The report: `MessageSid`, `MessageStatus`, `ErrorCode` and others",
                 example = json!({"MessageSid": "SM0123456789abcdef0123456789abcdef", "MessageStatus": "delivered"})),
    responses((status = 204, description = "Noted, now or before"),
              (status = 403, description = "The signature is not Twilio's", body = Problem, content_type = "application/problem+json"),
              (status = 404, description = "There is no such SMS", body = Problem, content_type = "application/problem+json"),
              (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("signed")))
)]
#[post("/api/notifications/sms-status")]
pub(crate) async fn receive_sms_status(
    request: HttpRequest,
    state: web::Data<AppState>,
    body: web::Payload,
) -> ApiResult<HttpResponse> {
    let forged = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            "invalid_signature",
            "the signature is not Twilio's for this report",
        )
    };
    let signature = request.headers().get("x-twilio-signature").and_then(|value| value.to_str().ok());
    // Nobody's body is kept in memory who does not even claim to be Twilio.
    let signature = signature.ok_or_else(forged)?;
    let raw = read_within(body, BODY_LIMIT, BODY_TIMEOUT).await?;
    let form = pairs(&raw);
    // What the request says of its host is the client's word: the address is the configured one.
    let mut address = state.config.notify.api_url.clone();
    address.set_path(PATH);
    address.set_query(Some(request.query_string()));
    let standby = state.config.twilio_standby.as_ref().map(|account| &account.auth_token);
    let mut tokens = std::iter::once(&state.config.twilio.auth_token).chain(standby);
    if !tokens.any(|token| verify_twilio_signature(token, &address, &form, signature)) {
        return Err(forged());
    }
    let report = Report::parse(&pairs(request.query_string().as_bytes()), &form)?;
    let Report { delivery, message, status, error } = report;
    state.market.notify.apply_sms_status(delivery, &message, status, error).await?;
    Ok(HttpResponse::NoContent().finish())
}
