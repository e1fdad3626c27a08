//! An endpoint's secret, and what it signs: `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body` (Standard
//! Webhooks, "Signature scheme").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Ambient;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// Bytes of randomness in a secret; the standard asks for 24 to 64.
const BYTES: usize = 32;

/// How far a receiver's clock may be off, in seconds, as the standard's libraries have it.
const TOLERANCE: i64 = 300;

/// A new secret: `whsec_` and base64.
pub(super) fn fresh(ambient: &Ambient) -> SecretString {
    format!("{PREFIX}{}", STANDARD.encode(ambient.random_bytes::<BYTES>())).into()
}

/// The header's value: a signature by each secret.
pub(super) fn sign(secrets: &[SecretString], id: &str, timestamp: i64, body: &str) -> String {
    let signatures = secrets.iter().map(|secret| {
        let mac = mac(secret, id, timestamp, body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(mac))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// Whether one of the header's signatures is right and the webhook is not old: what a receiver does with ours.
pub fn verify_hook_signature(
    secret: &SecretString,
    id: &str,
    timestamp: i64,
    body: &str,
    header: &str,
    now: i64,
) -> bool {
    let is_right = |signature: &str| {
        let bytes = signature.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| mac(secret, id, timestamp, body).verify_slice(&bytes).is_ok())
    };
    (now - timestamp).abs() <= TOLERANCE && header.split(' ').any(is_right)
}

fn mac(secret: &SecretString, id: &str, timestamp: i64, body: &str) -> Hmac<Sha256> {
    let text = secret.expose_secret();
    // A secret is base64 behind its prefix; one that is not stands for itself.
    let key = text.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
    let key = key.unwrap_or_else(|| text.as_bytes().to_vec());
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes any key");
    mac.chain_update(id)
        .chain_update(".")
        .chain_update(timestamp.to_string())
        .chain_update(".")
        .chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_614_265_330;
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &str = r#"{"test": 2432232314}"#;

    /// The example of the standard and of its libraries' tests.
    #[test]
    fn the_standards_own_example_is_right() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret), ID, AT, BODY), signature);
        assert!(verify_hook_signature(&secret, ID, AT, BODY, signature, AT));
    }

    #[test]
    fn anything_that_was_changed_is_wrong() {
        let ambient = Ambient::system();
        let (new, old) = (fresh(&ambient), fresh(&ambient));
        let header = sign(&[new.clone(), old.clone()], ID, AT, BODY);
        for secret in [&new, &old] {
            assert!(verify_hook_signature(secret, ID, AT, BODY, &header, AT + 300));
        }
        assert!(!verify_hook_signature(&fresh(&ambient), ID, AT, BODY, &header, AT));
        assert!(!verify_hook_signature(&new, "msg_other", AT, BODY, &header, AT));
        assert!(!verify_hook_signature(&new, ID, AT + 1, BODY, &header, AT));
        assert!(!verify_hook_signature(&new, ID, AT, "{}", &header, AT));
        assert!(!verify_hook_signature(&new, ID, AT, BODY, &header, AT + 301));
        assert!(!verify_hook_signature(&new, ID, AT, BODY, "", AT));
    }
}
