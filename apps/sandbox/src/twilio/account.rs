//! Who may call: HTTP Basic with the account's SID and its auth token.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::error::ApiError;
use crate::config::SandboxConfig;

/// The one account that exists.
pub(crate) struct Account {
    sid: String,
    auth_token: SecretString,
    senders: Vec<String>,
}

impl Account {
    /// The account that the configuration tells of.
    pub(crate) fn new(config: &SandboxConfig) -> Self {
        Self {
            sid: config.twilio_account_sid.clone(),
            auth_token: config.twilio_auth_token.clone(),
            senders: config.twilio_senders.clone(),
        }
    }

    /// `AC` and 32 hexadecimal digits.
    pub(super) fn sid(&self) -> &str {
        &self.sid
    }

    /// Whether the account has this number or short code to send from.
    pub(super) fn owns(&self, sender: &str) -> bool {
        self.senders.iter().any(|owned| owned == sender)
    }

    /// Checks the value of an `Authorization` header.
    ///
    /// # Errors
    /// 20003 when it is missing, no Basic authorization, or not this account's.
    pub(super) fn authenticate(&self, authorization: Option<&str>) -> Result<(), ApiError> {
        let credentials = authorization.and_then(decode).ok_or_else(ApiError::unauthenticated)?;
        let expected = format!("{}:{}", self.sid, self.auth_token.expose_secret());
        if bool::from(credentials.as_slice().ct_eq(expected.as_bytes())) {
            Ok(())
        } else {
            Err(ApiError::unauthenticated())
        }
    }
}

fn decode(authorization: &str) -> Option<Vec<u8>> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    STANDARD.decode(credentials.trim()).ok()
}
