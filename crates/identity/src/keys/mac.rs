//! Keyed digests (HMAC-SHA-256, RFC 2104): what is stored in place of a code, a contact or an address.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// A key for digests. One key serves several uses, each under its own label.
#[derive(Debug)]
pub(crate) struct MacKey(SecretSlice<u8>);

impl MacKey {
    pub(crate) fn new(key: Vec<u8>) -> Self {
        Self(key.into())
    }

    /// The digest of the parts under the label. Each part's length is digested too, so that `("ab", "c")` and
    /// `("a", "bc")` differ.
    pub(crate) fn digest(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes any key");
        for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The digest in hexadecimal, as it is stored.
    pub(crate) fn hex(&self, label: &str, parts: &[&[u8]]) -> String {
        hex::encode(self.digest(label, parts))
    }
}
