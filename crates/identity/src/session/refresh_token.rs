//! Refresh tokens: session ‖ generation ‖ HMAC-SHA-256 over both, base64url. The same session and generation give
//! the same token, so a repeated request gets the same successor without anything secret being stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{SessionId, TypedId};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::SecretText;
use crate::keys::MacKey;

/// Bytes of a token: an id, a generation and a digest.
const TOKEN_BYTES: usize = 16 + 8 + 32;

/// The token of this session and generation.
pub(crate) fn write(key: &MacKey, session: SessionId, generation: i64) -> SecretText {
    let token =
        [session.uuid().as_bytes().as_slice(), &generation.to_be_bytes(), &digest(key, session, generation)]
            .concat();
    SecretText::new(URL_SAFE_NO_PAD.encode(token))
}

/// What a token says, if we wrote it.
pub(crate) fn read(key: &MacKey, token: &str) -> Option<(SessionId, i64)> {
    // Four characters carry three bytes.
    if token.len() != (TOKEN_BYTES * 4).div_ceil(3) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, rest) = bytes.split_first_chunk::<16>()?;
    let (generation, given) = rest.split_first_chunk::<8>()?;
    let session = SessionId::from(Uuid::from_bytes(*id));
    let generation = i64::from_be_bytes(*generation);
    let ours = digest(key, session, generation);
    bool::from(ours.as_slice().ct_eq(given)).then_some((session, generation))
}

fn digest(key: &MacKey, session: SessionId, generation: i64) -> [u8; 32] {
    let id = session.uuid();
    key.digest("refresh-token", &[id.as_bytes(), &generation.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> MacKey {
        MacKey::new(vec![3; 32])
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_is_always_the_same(id: u128, generation: i64) {
            let session = SessionId::from(Uuid::from_u128(id));
            let token = write(&key(), session, generation);
            prop_assert_eq!(read(&key(), token.expose()), Some((session, generation)));
            prop_assert_eq!(&token, &write(&key(), session, generation));
            prop_assert_eq!(read(&MacKey::new(vec![4; 32]), token.expose()), None);
        }

        #[test]
        fn an_altered_token_is_refused(id: u128, position in 0usize..TOKEN_BYTES, flip in 1u8..) {
            let token = write(&key(), SessionId::from(Uuid::from_u128(id)), 3);
            let mut bytes = URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
            bytes[position] ^= flip;
            prop_assert_eq!(read(&key(), &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn garbage_is_refused(text in "\\PC*") {
            prop_assert_eq!(read(&key(), &text), None);
        }
    }
}
