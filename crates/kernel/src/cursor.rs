//! Cursors: where a feed was left, opaque to the client and signed, so that it can be trusted when it returns.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use thiserror::Error;

/// Bytes of the tag that a cursor carries: 128 bits are beyond guessing.
const TAG_BYTES: usize = 16;

/// The cursor was not made by us, or not for this list and these filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a cursor of this list with these filters: start again without one")]
pub struct InvalidCursor;

/// Makes and reads cursors with one key.
#[derive(Clone)]
pub struct CursorCodec {
    key: Arc<[u8]>,
}

impl CursorCodec {
    /// A codec with the given key, at least 32 bytes in production.
    pub fn new(key: &[u8]) -> Self {
        Self { key: key.into() }
    }

    /// Writes a position as a cursor. `scope` names the list and its filters; the same is needed to read it.
    pub fn seal(&self, scope: &str, position: &impl Serialize) -> String {
        let mut token = serde_json::to_vec(position).unwrap_or_default();
        let tag = self.tag(scope, &token);
        token.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Reads a cursor back.
    ///
    /// # Errors
    /// When it was altered, or made for another list or other filters.
    pub fn open<T: DeserializeOwned>(&self, scope: &str, cursor: &str) -> Result<T, InvalidCursor> {
        if cursor.len() > 1024 {
            return Err(InvalidCursor);
        }
        let token = URL_SAFE_NO_PAD.decode(cursor).ok().ok_or(InvalidCursor)?;
        let split = token.len().checked_sub(TAG_BYTES).ok_or(InvalidCursor)?;
        let (position, tag) = token.split_at(split);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(self.tag(scope, position).as_slice(), tag)) {
            return Err(InvalidCursor);
        }
        serde_json::from_slice(position).ok().ok_or(InvalidCursor)
    }

    fn tag(&self, scope: &str, position: &[u8]) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key");
        // The length keeps scope and position apart: ("ab", "c") and ("a", "bc") differ.
        mac.update(&u64::try_from(scope.len()).unwrap_or(u64::MAX).to_le_bytes());
        mac.update(scope.as_bytes());
        mac.update(position);
        mac.finalize().into_bytes().iter().copied().take(TAG_BYTES).collect()
    }
}

impl std::fmt::Debug for CursorCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorCodec")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_in_its_scope_alone(at: i64, scope in "[a-z]{1,8}", other in "[A-Z]{1,8}") {
            let codec = CursorCodec::new(b"0123456789abcdef0123456789abcdef");
            let cursor = codec.seal(&scope, &at);
            prop_assert_eq!(codec.open::<i64>(&scope, &cursor), Ok(at));
            prop_assert_eq!(codec.open::<i64>(&other, &cursor), Err(InvalidCursor));
            prop_assert!(CursorCodec::new(b"another key").open::<i64>(&scope, &cursor).is_err());
        }

        #[test]
        fn an_altered_cursor_is_refused(at: i64, position in 0usize..24, flip in 1u8..) {
            let codec = CursorCodec::new(b"0123456789abcdef0123456789abcdef");
            let mut bytes = URL_SAFE_NO_PAD.decode(codec.seal("s", &at)).unwrap();
            let index = position % bytes.len();
            bytes[index] ^= flip;
            prop_assert!(codec.open::<i64>("s", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn garbage_is_refused(text in "\\PC*") {
            prop_assert!(CursorCodec::new(b"k").open::<i64>("s", &text).is_err());
        }
    }
}
