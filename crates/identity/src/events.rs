//! What this crate tells the others: the events it writes, without contact details.

use chrono::{DateTime, Utc};
use kernel::{Role, SessionId, UserId};
use serde_json::json;
use store::NewEvent;

use crate::UserStatus;
use crate::session::EndReason;

fn about(user: UserId, kind: &'static str, payload: serde_json::Value) -> NewEvent {
    NewEvent { subject: format!("user:{user}"), kind, payload }
}

/// Somebody logged in for the first time.
pub(crate) fn registered(user: UserId) -> NewEvent {
    about(user, "user.registered", json!({"userId": user}))
}

/// A session ended before its time; its sockets must be cut.
pub(crate) fn session_revoked(user: UserId, session: SessionId, reason: EndReason) -> NewEvent {
    let payload = json!({"userId": user, "sessionId": session, "reason": reason.as_str()});
    about(user, "session.revoked", payload)
}

/// Somebody logged in with something that they never used before; `device` says with what, such as `Chrome on Android`.
pub(crate) fn new_device(user: UserId, session: SessionId, device: Option<String>) -> NewEvent {
    about(user, "user.new_device", json!({"userId": user, "sessionId": session, "device": device}))
}

/// Somebody may not use the marketplace for now, or ever.
pub(crate) fn blocked(user: UserId, status: UserStatus, until: Option<DateTime<Utc>>) -> NewEvent {
    about(user, "user.blocked", json!({"userId": user, "status": status, "until": until}))
}

/// Somebody may use the marketplace again.
pub(crate) fn unblocked(user: UserId) -> NewEvent {
    about(user, "user.unblocked", json!({"userId": user}))
}

/// Somebody was appointed or dismissed.
pub(crate) fn role_changed(user: UserId, from: Role, to: Role) -> NewEvent {
    about(user, "user.role_changed", json!({"userId": user, "from": from, "to": to}))
}

/// Somebody is reached elsewhere now; `kind` is `phone` or `email`.
pub(crate) fn contact_changed(user: UserId, kind: &str) -> NewEvent {
    about(user, "user.contact_changed", json!({"userId": user, "contact": kind}))
}
