//! The provider's two signatures: HMAC-SHA256 in lower-case hexadecimal, compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Bytes of an HMAC-SHA256.
const BYTES: usize = 32;

/// Whether a check-out's signature fits: `order_id|payment_id` under the key's secret. The order's id is the one that is
/// stored here, not the one that the browser returns (integration-steps 1.5).
pub(crate) fn checkout(secret: &SecretString, order_id: &str, payment_id: &str, given: &str) -> bool {
    is_genuine(secret, &[order_id.as_bytes(), b"|", payment_id.as_bytes()], given)
}

/// Whether a webhook's signature fits its raw bytes under one of the secrets.
pub(crate) fn webhook<'a>(
    secrets: impl IntoIterator<Item = &'a SecretString>,
    raw: &[u8],
    given: &str,
) -> bool {
    secrets.into_iter().any(|secret| is_genuine(secret, &[raw], given))
}

fn is_genuine(secret: &SecretString, message: &[&[u8]], given: &str) -> bool {
    // Anybody can make a signature under no secret.
    if secret.expose_secret().is_empty() {
        return false;
    }
    let Some(given) = bytes(given) else {
        return false;
    };
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes any key");
    message.iter().for_each(|part| mac.update(part));
    mac.verify_slice(&given).is_ok()
}

/// The 64 lower-case digits as bytes; what is of another form is refused before anything is computed.
fn bytes(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != 2 * BYTES || text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; BYTES];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha256 -hmac`.
    const CHECKOUT: &str = "0c1689868026d28d9c1e896b31783d0cbd3fce77b1bf4c212f932b0142bf8961";
    const PRETTY: &str = "{\n  \"event\": \"payment.captured\",\n  \"payload\": {}\n}";
    const COMPACT: &str = "{\"event\":\"payment.captured\",\"payload\":{}}";
    const WEBHOOK: &str = "2224ec944ed4d31dc1fe2bf0e7024a0cba6f17658cda2a5800d822af28660ff9";

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_checkout_is_signed_over_order_and_payment() {
        let key = secret("key-secret");
        assert!(checkout(&key, "order_IluGWxBm9U8zJ8", "pay_IH4NVgf4Dreq1l", CHECKOUT));
        assert!(!checkout(&key, "order_IluGWxBm9U8zJ9", "pay_IH4NVgf4Dreq1l", CHECKOUT));
        assert!(!checkout(&key, "order_IluGWxBm9U8zJ8", "pay_IH4NVgf4Dreq1m", CHECKOUT));
        assert!(!checkout(&secret("other"), "order_IluGWxBm9U8zJ8", "pay_IH4NVgf4Dreq1l", CHECKOUT));
        assert!(!checkout(&key, "order_IluGWxBm9U8zJ8|", "pay_IH4NVgf4Dreq1l", CHECKOUT));
    }

    #[test]
    fn a_pretty_printed_webhook_passes_and_its_compact_form_fails() {
        let secrets = [secret("webhook-secret")];
        assert!(webhook(&secrets, PRETTY.as_bytes(), WEBHOOK));
        assert!(!webhook(&secrets, COMPACT.as_bytes(), WEBHOOK));
        assert!(!webhook(&secrets, &PRETTY.as_bytes()[..PRETTY.len() - 1], WEBHOOK));
    }

    #[test]
    fn the_secret_before_the_rotation_still_counts() {
        let rotated = [secret("new"), secret("webhook-secret")];
        assert!(webhook(&rotated, PRETTY.as_bytes(), WEBHOOK));
        assert!(!webhook(&[secret("new")], PRETTY.as_bytes(), WEBHOOK));
        assert!(!webhook(&[], PRETTY.as_bytes(), WEBHOOK));
    }

    #[test]
    fn an_altered_byte_or_another_form_changes_everything() {
        let secrets = [secret("webhook-secret")];
        let upper = WEBHOOK.to_uppercase();
        let longer = format!("{WEBHOOK}00");
        let spaced = format!(" {}", WEBHOOK.get(1..).unwrap());
        let other = WEBHOOK.replacen(['0', '1', '2'], "f", 1);
        let wide = "é".repeat(32);
        for wrong in ["", "00", WEBHOOK.get(..62).unwrap(), &upper, &longer, &spaced, &other, &wide] {
            assert!(!webhook(&secrets, PRETTY.as_bytes(), wrong), "{wrong}");
        }
        let mut altered = PRETTY.as_bytes().to_vec();
        altered[3] ^= 1;
        assert!(!webhook(&secrets, &altered, WEBHOOK));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let forged = "11523039c98ff6677132e1615e7e7f19db28546dea87230c9e971ccb0c1a7e99";
        assert!(!webhook(&[secret("")], PRETTY.as_bytes(), forged));
    }
}
