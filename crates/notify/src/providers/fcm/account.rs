//! The service account: who we are to Google, and the key that proves it.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::ConfigError;

/// What a token may be used for: to send messages, and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";

/// How long an assertion holds, in seconds: the longest that Google takes.
const LIFE: i64 = 3_600;

/// The fields of the file that matter here.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    project_id: String,
    private_key_id: Option<String>,
    private_key: SecretString,
    client_email: String,
    token_uri: Url,
}

/// A service account that can sign.
#[derive(Clone)]
pub(super) struct ServiceAccount {
    pub(super) project_id: String,
    pub(super) token_uri: Url,
    key_id: Option<String>,
    key: EncodingKey,
    client_email: String,
}

/// What an assertion says (RFC 7523 §3).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccount {
    /// Reads the JSON file that Google gives.
    ///
    /// # Errors
    /// When it is not one, or its key cannot be read. The error never shows it.
    pub(super) fn read(json: &SecretString) -> Result<Self, ConfigError> {
        let invalid = |problem| ConfigError::invalid("fcm.service_account", problem);
        let file: File = serde_json::from_str(json.expose_secret())
            .ok()
            .ok_or_else(|| invalid("must be the JSON of a service account's key"))?;
        if file.kind != "service_account" {
            return Err(invalid("must be of the type service_account"));
        }
        let is_project = !file.project_id.is_empty()
            && file.project_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b));
        if !is_project {
            return Err(invalid("has a project_id that is none"));
        }
        let key = EncodingKey::from_rsa_pem(file.private_key.expose_secret().as_bytes())
            .ok()
            .ok_or_else(|| invalid("has a private_key that is no RSA key in PEM"))?;
        Ok(Self {
            project_id: file.project_id,
            token_uri: file.token_uri,
            key_id: file.private_key_id,
            key,
            client_email: file.client_email,
        })
    }

    /// A signed assertion of who we are, to be exchanged for a token at `audience`.
    pub(super) fn assertion(&self, now: i64) -> Option<String> {
        let claims = Claims {
            iss: &self.client_email,
            scope: SCOPE,
            // The file's address, also where another one answers in its place: it is what Google compares.
            aud: self.token_uri.as_str(),
            iat: now,
            exp: now + LIFE,
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid.clone_from(&self.key_id);
        jsonwebtoken::encode(&header, &claims, &self.key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_service_account_is_refused_without_being_shown() {
        let odd_key = r#"{"type":"service_account","project_id":"p","private_key":"canary","client_email":"e",
                          "token_uri":"https://oauth2.googleapis.com/token"}"#;
        let odd_kind = odd_key.replace("service_account", "authorized_user");
        let odd_project = odd_key.replace("\"p\"", "\"../x\"");
        for json in ["", "{}", "canary", odd_key, &odd_kind, &odd_project] {
            let Err(error) = ServiceAccount::read(&SecretString::from(json)) else {
                panic!("taken");
            };
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
