//! Secrets at rest: XChaCha20-Poly1305 under named keys, bound to the place they are stored in.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use kernel::Ambient;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::{KEY_BYTES, KeyError, decoded};
use crate::IdentityError;

/// Bytes of the random nonce that begins each sealed value.
const NONCE_BYTES: usize = 24;

/// The longest name of a key.
const NAME_BYTES: usize = 32;

/// A sealed value and the name of the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

/// The keys that seal and open; the first of them seals.
#[derive(Debug)]
pub(crate) struct SealingKeys {
    current: SealingKey,
    older: Vec<SealingKey>,
}

#[derive(Debug)]
struct SealingKey {
    id: String,
    key: SecretBox<[u8; KEY_BYTES]>,
}

impl SealingKeys {
    pub(crate) fn single(id: &str, key: [u8; KEY_BYTES]) -> Self {
        let current = SealingKey { id: id.to_owned(), key: SecretBox::new(Box::new(key)) };
        Self { current, older: Vec::new() }
    }

    pub(crate) fn from_texts(setting: &str, texts: &[(String, SecretString)]) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(texts.len());
        for (id, text) in texts {
            let is_name =
                !id.is_empty() && id.len() <= NAME_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
            if !is_name || keys.iter().any(|key: &SealingKey| key.id == *id) {
                return Err(KeyError::new(
                    setting,
                    "must name each key once, in at most 32 visible characters",
                ));
            }
            let wrong_length = |_| KeyError::new(setting, "must hold keys of exactly 32 bytes in base64");
            let key = decoded(setting, text)?.try_into().map_err(wrong_length)?;
            keys.push(SealingKey { id: id.clone(), key: SecretBox::new(Box::new(key)) });
        }
        if keys.is_empty() {
            return Err(KeyError::new(setting, "must hold at least one key"));
        }
        let current = keys.remove(0);
        Ok(Self { current, older: keys })
    }

    /// The name of the key that seals.
    pub(crate) fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Seals for one place, named as `table|column|row`: opened in another place, the value is refused.
    pub(crate) fn seal(&self, ambient: &Ambient, place: &str, plain: &[u8]) -> Result<Sealed, IdentityError> {
        let nonce: [u8; NONCE_BYTES] = ambient.random_bytes();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = self
            .current
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .ok()
            .ok_or_else(|| IdentityError::Crypto("a secret could not be sealed".to_owned()))?;
        Ok(Sealed { key_id: self.current.id.clone(), bytes: [nonce.as_slice(), sealed.as_slice()].concat() })
    }

    /// Opens what was sealed for the place.
    pub(crate) fn open(&self, place: &str, sealed: &Sealed) -> Result<Vec<u8>, IdentityError> {
        let key = std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == sealed.key_id)
            .ok_or_else(|| {
                IdentityError::Crypto(format!("there is no sealing key named {} any more", sealed.key_id))
            })?;
        let broken = || IdentityError::Crypto(format!("what is sealed at {place} cannot be opened"));
        let (nonce, bytes) = sealed.bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        key.cipher().decrypt(&XNonce::from(*nonce), payload).ok().ok_or_else(broken)
    }
}

impl SealingKey {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }
}
