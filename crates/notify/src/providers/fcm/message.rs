//! A push message as it goes over the wire.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::{PushMessage, PushTarget, PushTo, SendError, TargetKind};

/// The most bytes of a message's notification and data together (firebase.google.com/docs/cloud-messaging).
pub(super) const MAX_PAYLOAD: usize = 4_096;

/// The code of a request that we should not have made, as HTTP has it.
const OUR_FAULT: u32 = 400;

#[derive(Serialize)]
struct Body<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<&'a str>,
    notification: Json,
    data: &'a std::collections::BTreeMap<String, String>,
    android: Json,
    apns: Json,
    webpush: Json,
}

/// The request's body.
///
/// # Errors
/// [`SendError::Refused`] when the message is larger than Firebase takes: sending it again will not make it smaller.
pub(super) fn body(message: &PushMessage, now: DateTime<Utc>) -> Result<Vec<u8>, SendError> {
    let too_large = SendError::Refused { code: OUR_FAULT };
    let notification = json!({"title": message.title, "body": message.body});
    let size = message.title.len()
        + message.body.len()
        + message.data.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if size > MAX_PAYLOAD || message.collapse_key.as_ref().is_some_and(|key| key.len() > 64) {
        return Err(too_large);
    }
    let (token, fid, topic) = match &message.to {
        PushTo::Device(PushTarget { kind: TargetKind::Token, value }) => {
            (Some(value.expose_secret()), None, None)
        }
        PushTo::Device(PushTarget { kind: TargetKind::Fid, value }) => {
            (None, Some(value.expose_secret()), None)
        }
        PushTo::Topic(topic) => (None, None, Some(topic.as_str())),
    };
    let body = Body {
        message: Message {
            token,
            fid,
            topic,
            notification,
            data: &message.data,
            android: android(message),
            apns: apns(message, now),
            webpush: webpush(message),
        },
    };
    serde_json::to_vec(&body).ok().ok_or(too_large)
}

fn android(message: &PushMessage) -> Json {
    let ttl = format!("{}s", message.ttl.as_secs());
    let priority = if message.urgent { "HIGH" } else { "NORMAL" };
    match &message.collapse_key {
        // By the tag what is shown already is replaced too.
        Some(key) => {
            json!({"ttl": ttl, "priority": priority, "collapse_key": key, "notification": {"tag": key}})
        }
        None => json!({"ttl": ttl, "priority": priority}),
    }
}

/// Apple is told when a message ends, in seconds since 1970 (developer.apple.com/documentation/usernotifications).
fn apns(message: &PushMessage, now: DateTime<Utc>) -> Json {
    let life = i64::try_from(message.ttl.as_secs()).unwrap_or(i64::MAX);
    let end = now.timestamp().saturating_add(life).to_string();
    let priority = if message.urgent { "10" } else { "5" };
    match &message.collapse_key {
        Some(key) => {
            json!({"headers": {"apns-priority": priority, "apns-expiration": end, "apns-collapse-id": key}})
        }
        None => json!({"headers": {"apns-priority": priority, "apns-expiration": end}}),
    }
}

fn webpush(message: &PushMessage) -> Json {
    json!({
        "headers": {
            "TTL": message.ttl.as_secs().to_string(),
            "Urgency": if message.urgent { "high" } else { "normal" },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    fn message(kind: TargetKind) -> PushMessage {
        PushMessage {
            to: PushTo::Device(PushTarget::parse(kind, "abc").unwrap()),
            title: "Hello".to_owned(),
            body: "World".to_owned(),
            data: BTreeMap::from([("kind".to_owned(), "listing.approved".to_owned())]),
            collapse_key: Some("k".to_owned()),
            ttl: Duration::from_secs(60),
            urgent: false,
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_message_has_one_target() {
        for (kind, field, other) in [(TargetKind::Token, "token", "fid"), (TargetKind::Fid, "fid", "token")] {
            let sent: Json = serde_json::from_slice(&body(&message(kind), now()).unwrap()).unwrap();
            assert_eq!(sent["message"][field], "abc");
            assert!(sent["message"].get(other).is_none());
            assert_eq!(sent["message"]["android"]["collapse_key"], "k");
            assert_eq!(sent["message"]["apns"]["headers"]["apns-collapse-id"], "k");
            assert_eq!(sent["message"]["android"]["ttl"], "60s");
            assert_eq!(sent["message"]["apns"]["headers"]["apns-expiration"], "1767225660");
        }
    }

    #[test]
    fn what_is_larger_than_firebase_takes_is_not_sent() {
        let mut large = message(TargetKind::Token);
        large.body = "x".repeat(MAX_PAYLOAD);
        assert_eq!(body(&large, now()).unwrap_err(), SendError::Refused { code: 400 });
        large.body = "x".repeat(MAX_PAYLOAD - "Hello".len() - "kind".len() - "listing.approved".len());
        assert!(body(&large, now()).is_ok());
        large.collapse_key = Some("k".repeat(65));
        assert!(body(&large, now()).is_err());
    }
}
