//! What Twilio's answers mean. Its texts repeat the recipient, so only numbers are taken from them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{SendError, SmsReceipt};

/// Both forms of an error body: the classic `{code, message, more_info, status}`, and RFC 9457's
/// `{type, title, status, code, detail}`, whose `type` ends in the code as well.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    code: Option<Value>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Problem {
    fn code(&self) -> Option<u32> {
        let own = match self.code.as_ref() {
            Some(Value::Number(number)) => number.as_u64().and_then(|code| u32::try_from(code).ok()),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        own.or_else(|| self.kind.as_ref()?.trim_end_matches('/').rsplit('/').next()?.parse().ok())
    }
}

/// The part of a created message that matters here.
#[derive(Debug, Deserialize)]
struct Created {
    sid: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    error_code: Option<u32>,
}

/// Reads an answer. An empty body stands for one that was too long or broke off.
pub(super) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Result<SmsReceipt, SendError> {
    if (200..300).contains(&status) {
        return created(body);
    }
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    Err(refusal(status, retry_after, problem.code()))
}

fn created(body: &[u8]) -> Result<SmsReceipt, SendError> {
    let Ok(created) = serde_json::from_slice::<Created>(body) else {
        return Err(SendError::Unknown);
    };
    match (created.status.as_str(), created.error_code) {
        ("failed" | "undelivered" | "canceled", code) => Err(by_code(code.unwrap_or(0))),
        _ => Ok(SmsReceipt { provider_id: created.sid }),
    }
}

fn refusal(status: u16, retry_after: Option<Duration>, code: Option<u32>) -> SendError {
    let code_or_status = code.unwrap_or(u32::from(status));
    match (status, code) {
        // Too many requests: such a call was never processed (twilio.com/docs/errors/20429).
        (429, _) | (_, Some(20429)) => SendError::NotSent { code: Some(code_or_status), retry_after },
        // The sender's own queue is full (twilio.com/docs/errors/21611).
        (_, Some(21611)) => SendError::NotSent { code, retry_after },
        (500.., _) => SendError::Failed { code: code_or_status },
        // Nobody is let in with our credentials, or our account is not where we call.
        (401 | 403 | 404, _) => SendError::Misconfigured { code: code_or_status },
        (400..500, Some(code)) => by_code(code),
        _ => SendError::Misconfigured { code: code_or_status },
    }
}

/// The codes that speak of the recipient (twilio.com/docs/api/errors): an invalid number 21211, a short code 21265,
/// not reachable from our sender 21612, opted out 21610, no mobile number 21614, a landline 21635; and those that speak
/// of the account: not authenticated 20003, not active 20005, no access 20006 and 20008. Every other refusal, such as
/// that of a template (21901), speaks of this message.
fn by_code(code: u32) -> SendError {
    match code {
        21211 | 21265 | 21610 | 21612 | 21614 | 21635 => SendError::Refused { code },
        20003 | 20005 | 20006 | 20008 => SendError::Misconfigured { code },
        _ => SendError::Faulty { code },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(status: u16, code: u32) -> Result<SmsReceipt, SendError> {
        let body = serde_json::json!({
            "code": code, "message": "about +919876543210", "status": status,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        });
        read(status, None, body.to_string().as_bytes())
    }

    #[test]
    fn a_created_message_gives_its_id() {
        let body = br#"{"sid":"SM1","status":"queued","error_code":null,"price":null,"num_segments":"1"}"#;
        assert_eq!(read(201, None, body).unwrap().provider_id, "SM1");
    }

    #[test]
    fn a_success_that_cannot_be_read_may_have_been_sent() {
        for body in [&b""[..], b"{", b"<html>", b"{\"status\":\"queued\"}", b"[]"] {
            assert_eq!(read(201, None, body), Err(SendError::Unknown));
        }
    }

    #[test]
    fn refusals_of_the_recipient_are_told_from_those_of_us() {
        for code in [21211, 21265, 21610, 21612, 21614, 21635] {
            assert_eq!(classic(400, code), Err(SendError::Refused { code }));
        }
        for (status, code) in [(401, 20003), (400, 20003), (400, 20005), (404, 20404), (403, 20403)] {
            assert_eq!(classic(status, code), Err(SendError::Misconfigured { code }));
        }
        for code in [21212, 21606, 21901, 21408] {
            assert_eq!(classic(400, code), Err(SendError::Faulty { code }), "it is about one message");
        }
    }

    #[test]
    fn too_many_requests_were_never_processed() {
        let wait = Some(Duration::from_secs(3));
        assert_eq!(read(429, wait, b""), Err(SendError::NotSent { code: Some(429), retry_after: wait }));
        for (status, code) in [(429, 20429), (400, 20429), (400, 21611)] {
            let error = classic(status, code).unwrap_err();
            assert_eq!(error, SendError::NotSent { code: Some(code), retry_after: None });
            assert!(error.is_safe_to_repeat());
        }
    }

    #[test]
    fn a_failing_provider_is_not_called_again_at_once() {
        for status in [500, 502, 503, 504, 599] {
            let error = read(status, None, b"<html>bad gateway").unwrap_err();
            assert_eq!(error, SendError::Failed { code: status.into() });
            assert!(!error.is_safe_to_repeat() && error.is_transient());
        }
    }

    #[test]
    fn both_forms_of_an_error_body_are_read() {
        let rfc = br#"{"type":"https://www.twilio.com/docs/errors/21211","title":"Invalid","status":400,"code":21211,
                      "detail":"+91...","errors":[]}"#;
        assert_eq!(read(400, None, rfc), Err(SendError::Refused { code: 21211 }));
        let by_type = br#"{"type":"https://www.twilio.com/docs/api/errors/21614/","title":"x","status":400}"#;
        assert_eq!(read(400, None, by_type), Err(SendError::Refused { code: 21614 }));
        let as_text = br#"{"code":"21610","message":"x"}"#;
        assert_eq!(read(400, None, as_text), Err(SendError::Refused { code: 21610 }));
    }

    #[test]
    fn a_redirect_is_a_wrong_base_url() {
        assert_eq!(read(307, None, b""), Err(SendError::Misconfigured { code: 307 }));
        assert_eq!(read(404, None, b"not json"), Err(SendError::Misconfigured { code: 404 }));
    }

    #[test]
    fn a_message_that_was_created_dead_is_a_refusal() {
        let body = br#"{"sid":"SM1","status":"failed","error_code":21610}"#;
        assert_eq!(read(201, None, body), Err(SendError::Refused { code: 21610 }));
    }
}
