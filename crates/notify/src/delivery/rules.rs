//! What can be told, and what of it is about one thing.

use kernel::FieldErrors;
use sha2::{Digest, Sha256};

use super::NewNotification;
use crate::NotifyError;

/// The kind and a digest of what it is about; 41 bytes at most, of the 64 that Apple takes.
pub(super) fn collapse_key(new: &NewNotification) -> String {
    let digest = Sha256::digest(new.action.as_deref().unwrap_or_default());
    let short: String = hex::encode(digest).chars().take(16).collect();
    format!("{}:{short}", new.kind.as_str())
}

/// Checks what is to be told.
///
/// # Errors
/// With every field that is wrong.
pub(super) fn check(new: &NewNotification) -> Result<(), NotifyError> {
    let mut errors = FieldErrors::default();
    if new.event_key.is_empty() || new.event_key.chars().count() > 190 {
        errors.add("eventKey", "invalid_length", "must have 1 to 190 characters");
    }
    for variable in new.kind.spec().variables {
        match new.params.get(variable.name) {
            None => errors.add(format!("params.{}", variable.name), "required", "this kind needs it"),
            Some(value) if !variable.fits(value) => {
                errors.add(format!("params.{}", variable.name), "wrong_type", variable.rule());
            }
            Some(_) => {}
        }
    }
    if new.action.as_deref().is_some_and(|action| !is_path(action)) {
        errors.add("action", "invalid_path", "must be a path inside the app, such as /wallet");
    }
    Ok(errors.finish()?)
}

/// Whether it is a path inside the app. A second slash, or a backslash, would lead to another host.
pub(crate) fn is_path(action: &str) -> bool {
    action.starts_with('/')
        && !action.starts_with("//")
        && action.len() <= 300
        && action.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::Kind;

    fn of(kind: Kind, params: Json, action: Option<&str>) -> NewNotification {
        NewNotification {
            kind,
            event_key: "e".to_owned(),
            params,
            action: action.map(str::to_owned),
            only: None,
        }
    }

    fn wrong(new: &NewNotification) -> Vec<String> {
        match check(new) {
            Ok(()) => Vec::new(),
            Err(NotifyError::Invalid(errors)) => errors.0.into_iter().map(|error| error.field).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert_eq!(
            wrong(&of(Kind::ListingRejected, json!({"title": 5}), None)),
            ["params.title", "params.reason"]
        );
        assert!(wrong(&of(Kind::KycApproved, json!({}), None)).is_empty());
    }

    #[test]
    fn an_action_stays_inside_the_app() {
        for action in ["/", "/wallet", "/listings/018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11?tab=1"] {
            assert!(wrong(&of(Kind::KycApproved, json!({}), Some(action))).is_empty(), "{action}");
        }
        for action in
            ["", "wallet", "//evil.example", "/\\evil.example", "https://evil.example", "/a b", "/न"]
        {
            assert_eq!(wrong(&of(Kind::KycApproved, json!({}), Some(action))), ["action"], "{action}");
        }
    }

    #[test]
    fn a_collapse_key_fits_what_apple_takes() {
        for kind in Kind::all() {
            let key =
                collapse_key(&of(kind, json!({}), Some("/listings/018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")));
            assert!(key.len() <= 64, "{key}");
        }
    }
}
