//! What Firebase's answers mean (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode). Its texts may repeat the
//! token, so only codes are taken from them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::{PushError, PushReceipt, SendError};

const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

/// Google asks for at least a minute before a sender that was throttled comes back.
const QUOTA_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    error: Detail,
}

#[derive(Debug, Default, Deserialize)]
struct Detail {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Sent {
    name: String,
}

impl Detail {
    fn of_type(&self, kind: &str) -> Option<&Value> {
        self.details.iter().find(|detail| detail.get("@type").and_then(Value::as_str) == Some(kind))
    }

    /// Firebase's own code, or else the general one.
    fn code(&self) -> &str {
        self.of_type(FCM_ERROR)
            .and_then(|detail| detail.get("errorCode"))
            .and_then(Value::as_str)
            .unwrap_or(&self.status)
    }
}

/// Reads an answer. An empty body stands for one that was too long or broke off.
pub(super) fn read(
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Result<PushReceipt, PushError> {
    if (200..300).contains(&status) {
        let sent = serde_json::from_slice::<Sent>(body).ok().ok_or(SendError::Unknown)?;
        return Ok(PushReceipt { name: sent.name });
    }
    let error = serde_json::from_slice::<Problem>(body).unwrap_or_default().error;
    Err(refusal(status, retry_after, &error))
}

fn refusal(status: u16, retry_after: Option<Duration>, error: &Detail) -> PushError {
    let code = u32::from(status);
    let later = |wait: Option<Duration>| SendError::NotSent { code: Some(code), retry_after: wait }.into();
    match error.code() {
        // The app was removed or its data deleted; or the token is another project's.
        "UNREGISTERED" | "SENDER_ID_MISMATCH" => PushError::DeviceGone,
        // Without a list of fields it is the token that is none; with one it is our message.
        "INVALID_ARGUMENT" if error.of_type(BAD_REQUEST).is_none() => PushError::DeviceGone,
        "INVALID_ARGUMENT" => SendError::Faulty { code }.into(),
        "QUOTA_EXCEEDED" | "RESOURCE_EXHAUSTED" => later(Some(retry_after.unwrap_or(QUOTA_PAUSE))),
        // Firebase's documents ask to try these again.
        "UNAVAILABLE" | "INTERNAL" => later(retry_after),
        // Apple's or the browser's key is missing or wrong; the devices of others are reached.
        "THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR" => SendError::Faulty { code }.into(),
        "PERMISSION_DENIED" | "UNAUTHENTICATED" => SendError::Misconfigured { code }.into(),
        _ => match status {
            429 => later(Some(retry_after.unwrap_or(QUOTA_PAUSE))),
            503 => later(retry_after),
            500.. => SendError::Failed { code }.into(),
            _ => SendError::Misconfigured { code }.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(status: u16, general: &str, own: Option<&str>, fields: bool) -> PushError {
        let mut details = Vec::new();
        if let Some(own) = own {
            details.push(json!({"@type": FCM_ERROR, "errorCode": own}));
        }
        if fields {
            details.push(json!({"@type": BAD_REQUEST, "fieldViolations": [{"field": "message.data"}]}));
        }
        let body =
            json!({"error": {"code": status, "status": general, "message": "about abc", "details": details}});
        read(status, None, body.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_dead_token_is_told_from_a_message_of_ours_that_is_wrong() {
        assert_eq!(refused(404, "NOT_FOUND", Some("UNREGISTERED"), false), PushError::DeviceGone);
        assert_eq!(
            refused(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), false),
            PushError::DeviceGone
        );
        assert_eq!(refused(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), false), PushError::DeviceGone);
        assert_eq!(refused(400, "INVALID_ARGUMENT", None, false), PushError::DeviceGone);
        let ours = PushError::Send(SendError::Faulty { code: 400 });
        assert_eq!(refused(400, "INVALID_ARGUMENT", None, true), ours);
        assert_eq!(refused(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), true), ours);
    }

    #[test]
    fn what_passes_is_told_from_what_a_person_must_mend() {
        for (status, general, own, wait) in [
            (503, "UNAVAILABLE", Some("UNAVAILABLE"), None),
            (500, "INTERNAL", Some("INTERNAL"), None),
            (429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), Some(QUOTA_PAUSE)),
            (429, "RESOURCE_EXHAUSTED", None, Some(QUOTA_PAUSE)),
        ] {
            let later = SendError::NotSent { code: Some(status.into()), retry_after: wait };
            assert_eq!(refused(status, general, own, false), PushError::Send(later));
        }
        for (status, general, own) in [(401, "UNAUTHENTICATED", None), (403, "PERMISSION_DENIED", None)] {
            let ours = PushError::Send(SendError::Misconfigured { code: status.into() });
            assert_eq!(refused(status, general, own, false), ours);
        }
        let of_apple = refused(401, "UNAUTHENTICATED", Some("THIRD_PARTY_AUTH_ERROR"), false);
        assert_eq!(of_apple, PushError::Send(SendError::Faulty { code: 401 }), "other phones are reached");
    }

    #[test]
    fn the_wait_that_firebase_asks_for_is_told() {
        let wait = Some(Duration::from_secs(9));
        for status in [429, 503] {
            let error = read(status, wait, b"").unwrap_err();
            assert_eq!(error, SendError::NotSent { code: Some(status.into()), retry_after: wait }.into());
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_leaves_it_unknown() {
        for body in [&b""[..], b"{", b"{}", b"[]"] {
            assert_eq!(read(200, None, body).unwrap_err(), PushError::Send(SendError::Unknown));
        }
        assert_eq!(
            read(200, None, br#"{"name":"projects/p/messages/1"}"#).unwrap().name,
            "projects/p/messages/1"
        );
        assert_eq!(read(502, None, b"<html>").unwrap_err(), PushError::Send(SendError::Failed { code: 502 }));
        assert_eq!(
            read(404, None, b"<html>").unwrap_err(),
            PushError::Send(SendError::Misconfigured { code: 404 })
        );
    }
}
