//! Access tokens: Ed25519-signed JWTs (RFC 7519, RFC 9068) that name a session and prove nothing else.

mod proved;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use kernel::{Ambient, SessionId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::proved::Proved;
use crate::keys::SigningKeys;
use crate::{IdentityConfig, IdentityError, SecretText};

/// RFC 9068 §2.1: so that no other token of ours can pass for one of these.
const TOKEN_TYPE: &str = "at+jwt";

/// How far the clocks of two of our machines may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// Ours have some 500 bytes; nothing longer is looked at.
const MAX_TOKEN_BYTES: usize = 2_048;

/// How many tokens are remembered as proved: those of as many sessions, at some 250 bytes each.
const PROVED: usize = 4_096;

/// What a token says. An unknown claim is passed over, a repeated one makes the token invalid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: UserId,
    pub(crate) sid: SessionId,
    pub(crate) jti: Uuid,
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
}

/// Issues and verifies the access tokens of one configuration, and always by its keys: what was proved by them is remembered.
#[derive(Debug)]
pub(crate) struct AccessTokens {
    validation: Validation,
    proved: Proved,
}

impl AccessTokens {
    pub(crate) fn new(config: &IdentityConfig) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // The library asks the machine for the time; we compare with the clock that was injected.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { validation, proved: Proved::new(PROVED) }
    }

    /// A token for the session.
    pub(crate) fn issue(
        &self,
        config: &IdentityConfig,
        ambient: &Ambient,
        (user, session): (UserId, SessionId),
    ) -> Result<SecretText, IdentityError> {
        let now = ambient.now();
        let claims = Claims {
            iss: config.issuer.clone(),
            aud: config.audience.clone(),
            sub: user,
            sid: session,
            jti: ambient.new_uuid(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + config.access_token_life).timestamp(),
        };
        let (kid, key) = config.keys.signing.signer();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(kid.to_owned());
        encode(&header, &claims, key)
            .map(SecretText::new)
            .map_err(|error| IdentityError::Crypto(format!("an access token could not be signed: {error}")))
    }

    /// Reads a token that we signed, for us, of this type, at this time. The key is one of ours or none: what a
    /// header says of keys elsewhere (`jku`, `jwk`, `x5u`) is never looked at.
    pub(crate) fn verify(
        &self,
        keys: &SigningKeys,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Claims, IdentityError> {
        let refuse = || IdentityError::InvalidToken;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refuse());
        }
        let print = Proved::print(token);
        let claims = match self.proved.recall(&print) {
            Some(claims) => claims,
            None => {
                let claims = self.prove(keys, token).ok_or_else(refuse)?;
                self.proved.keep(print, claims.clone());
                claims
            }
        };
        let moment = |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(refuse);
        if now > moment(claims.exp)? + LEEWAY {
            return Err(IdentityError::TokenExpired);
        }
        if now + LEEWAY < moment(claims.nbf)? {
            return Err(refuse());
        }
        Ok(claims)
    }

    /// What a token says that we signed, for us, of this type, at whatever time.
    fn prove(&self, keys: &SigningKeys, token: &str) -> Option<Claims> {
        let header = decode_header(token).ok()?;
        let typed = header.typ.as_deref() == Some(TOKEN_TYPE) && header.alg == Algorithm::EdDSA;
        // RFC 7515 §4.1.11: an extension marked critical must be understood, and we know none.
        if !typed || header.crit.is_some() {
            return None;
        }
        let key = header.kid.and_then(|kid| keys.verifier(&kid))?;
        Some(decode::<Claims>(token, key, &self.validation).ok()?.claims)
    }
}

#[cfg(test)]
mod tests;
