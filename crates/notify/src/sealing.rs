//! Secrets at rest: devices' tokens and webhooks' secrets, under XChaCha20-Poly1305 with named keys, bound to the place
//! they are stored in.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use kernel::Ambient;
use secrecy::{ExposeSecret, SecretBox, SecretString};

use crate::{ConfigError, NotifyError};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Bytes of the random nonce that begins each sealed value.
const NONCE_BYTES: usize = 24;

/// The longest name of a key, in bytes.
const NAME_BYTES: usize = 32;

/// A sealed value and the name of the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

/// The keys that seal and open; the first of them seals. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SealingKeys {
    keys: Arc<Vec<SealingKey>>,
}

#[derive(Debug)]
struct SealingKey {
    id: String,
    key: SecretBox<[u8; KEY_BYTES]>,
}

impl SealingKeys {
    /// Keys with their names, the one that seals first; each is 32 bytes in base64.
    ///
    /// # Errors
    /// When there is none, a name is unfit or used twice, or a key has another length.
    pub fn from_texts(texts: &[(String, SecretString)]) -> Result<Self, ConfigError> {
        let invalid = |problem| ConfigError::invalid("notify.sealing_keys", problem);
        let mut keys: Vec<SealingKey> = Vec::with_capacity(texts.len());
        for (id, text) in texts {
            let is_name =
                !id.is_empty() && id.len() <= NAME_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
            if !is_name || keys.iter().any(|key| key.id == *id) {
                return Err(invalid("must name each key once, in at most 32 visible characters"));
            }
            let bytes = STANDARD.decode(text.expose_secret().trim()).ok();
            let key: [u8; KEY_BYTES] = bytes
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| invalid("must hold keys of exactly 32 bytes in base64"))?;
            keys.push(SealingKey { id: id.clone(), key: SecretBox::new(Box::new(key)) });
        }
        if keys.is_empty() {
            return Err(invalid("must hold at least one key"));
        }
        Ok(Self { keys: Arc::new(keys) })
    }

    /// Seals for one place, named as `table|column|row`: opened in another place, the value is refused.
    pub(crate) fn seal(&self, ambient: &Ambient, place: &str, plain: &[u8]) -> Result<Sealed, NotifyError> {
        let key = self.keys.first().ok_or(NotifyError::Sealing("there is no key"))?;
        let nonce: [u8; NONCE_BYTES] = ambient.random_bytes();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let sealed = key
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .ok()
            .ok_or(NotifyError::Sealing("the cipher refused"))?;
        Ok(Sealed { key_id: key.id.clone(), bytes: [nonce.as_slice(), sealed.as_slice()].concat() })
    }

    /// Opens what was sealed for the place.
    pub(crate) fn open(&self, place: &str, sealed: &Sealed) -> Result<SecretString, NotifyError> {
        let broken = || NotifyError::Sealing("it was altered, or belongs elsewhere");
        let key = self.keys.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or(NotifyError::Sealing("its key is not configured any more"))?;
        let (nonce, bytes) = sealed.bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        let plain = key.cipher().decrypt(&XNonce::from(*nonce), payload).ok().ok_or_else(broken)?;
        Ok(String::from_utf8(plain).ok().ok_or_else(broken)?.into())
    }
}

impl SealingKey {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[&str]) -> SealingKeys {
        let texts: Vec<_> = names
            .iter()
            .zip(1_u8..)
            .map(|(name, fill)| ((*name).to_owned(), STANDARD.encode([fill; KEY_BYTES]).into()))
            .collect();
        SealingKeys::from_texts(&texts).unwrap()
    }

    #[test]
    fn a_secret_opens_in_its_place_alone() {
        let keys = keys(&["a"]);
        let sealed = keys.seal(&Ambient::system(), "t|c|1", b"secret").unwrap();
        assert_eq!(keys.open("t|c|1", &sealed).unwrap().expose_secret(), "secret");
        assert!(keys.open("t|c|2", &sealed).is_err());
        let mut altered = sealed.clone();
        *altered.bytes.last_mut().unwrap() ^= 1;
        assert!(keys.open("t|c|1", &altered).is_err());
        assert!(keys.open("t|c|1", &Sealed { bytes: vec![1; 5], ..sealed }).is_err());
    }

    #[test]
    fn an_older_key_still_opens() {
        let texts = |names: &[(&str, u8)]| -> Vec<(String, SecretString)> {
            names
                .iter()
                .map(|(name, fill)| ((*name).to_owned(), STANDARD.encode([*fill; 32]).into()))
                .collect()
        };
        let old = SealingKeys::from_texts(&texts(&[("old", 1)])).unwrap();
        let both = SealingKeys::from_texts(&texts(&[("new", 2), ("old", 1)])).unwrap();
        let new = SealingKeys::from_texts(&texts(&[("new", 2)])).unwrap();
        let sealed = old.seal(&Ambient::system(), "p", b"x").unwrap();
        assert_eq!(both.open("p", &sealed).unwrap().expose_secret(), "x");
        assert!(new.open("p", &sealed).is_err());
        assert_eq!(both.seal(&Ambient::system(), "p", b"x").unwrap().key_id, "new");
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let key = || SecretString::from(STANDARD.encode([1; 32]));
        for texts in [
            vec![],
            vec![(String::new(), key())],
            vec![("a".to_owned(), key()), ("a".to_owned(), key())],
            vec![("a".to_owned(), SecretString::from("c2hvcnQ="))],
        ] {
            assert!(SealingKeys::from_texts(&texts).is_err());
        }
    }
}
