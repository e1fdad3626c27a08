//! The account's key: who may call, and what the key signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::config::RazorpayConfig;
use super::error::ApiError;

/// The key pair of the one account that exists.
pub(super) struct Key {
    id: String,
    secret: SecretString,
}

impl Key {
    /// The key that the configuration tells of.
    pub(super) fn new(config: &RazorpayConfig) -> Self {
        Self { id: config.key_id.clone(), secret: config.key_secret.clone() }
    }

    /// Checks the value of an `Authorization` header. The scheme is spelled `Basic` and in no other way
    /// (razorpay.com/docs/api/authentication).
    ///
    /// # Errors
    /// 401 when it is missing, no Basic authorization, or not this key's.
    pub(super) fn authenticate(&self, authorization: Option<&str>) -> Result<(), ApiError> {
        let credentials = authorization
            .and_then(|value| value.strip_prefix("Basic "))
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .ok_or_else(ApiError::unauthenticated)?;
        let expected = format!("{}:{}", self.id, self.secret.expose_secret());
        if bool::from(credentials.as_slice().ct_eq(expected.as_bytes())) {
            Ok(())
        } else {
            Err(ApiError::unauthenticated())
        }
    }

    /// The signature that checkout hands to the browser
    /// (razorpay.com/docs/payments/payment-gateway/web-integration/standard/integration-steps).
    pub(super) fn sign_checkout(&self, order_id: &str, payment_id: &str) -> String {
        sign(&self.secret, format!("{order_id}|{payment_id}").as_bytes())
    }
}

/// HMAC-SHA-256 of the bytes, in lower-case hexadecimal.
pub(super) fn sign(secret: &SecretString, bytes: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes any key");
    mac.update(bytes);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_rfc_4231() {
        let signature = sign(&SecretString::from("Jefe"), b"what do ya want for nothing?");
        assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
