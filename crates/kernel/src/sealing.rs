//! Secrets at rest: XChaCha20-Poly1305 under named keys, bound to the place they are stored in.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use thiserror::Error;

use crate::Ambient;

/// Bytes of a key: 256 bits.
const KEY_BYTES: usize = 32;

/// Bytes of the random nonce that begins each sealed value.
const NONCE_BYTES: usize = 24;

/// The longest name of a key, in bytes: what its column holds.
const NAME_BYTES: usize = 32;

/// A key cannot be read. Says what is wrong and what would be right, never the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidKey(pub &'static str);

/// A secret could not be sealed or opened. Says why, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealingError {
    /// The cipher refused, as it does for gigabytes.
    #[error("the cipher refused to seal it")]
    Refused,
    /// It was sealed by a key that is not configured any more.
    #[error("there is no sealing key named {0} any more")]
    NoKey(String),
    /// It was altered, belongs elsewhere, or was sealed by another key of the same name.
    #[error("what is sealed at {0} cannot be opened")]
    Broken(String),
}

/// A sealed value and the name of the key that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key's name.
    pub key_id: String,
    /// The nonce and what was sealed.
    pub bytes: Vec<u8>,
}

/// The keys that seal and open; the first of them seals, all open. Cheap to clone; its `Debug` shows their names alone.
#[derive(Debug, Clone)]
pub struct SealingKeys {
    current: Arc<SealingKey>,
    older: Arc<[SealingKey]>,
}

#[derive(Debug)]
struct SealingKey {
    id: String,
    key: SecretBox<[u8; KEY_BYTES]>,
}

impl SealingKeys {
    /// One key alone.
    pub fn single(id: &str, key: [u8; KEY_BYTES]) -> Self {
        let current = SealingKey { id: id.to_owned(), key: SecretBox::new(Box::new(key)) };
        Self { current: Arc::new(current), older: Arc::new([]) }
    }

    /// Keys with their names, the one that seals first; each is 32 bytes in base64. Keep an older one until nothing
    /// carries its name.
    ///
    /// # Errors
    /// When there is none, a name is unfit or used twice, or a key is no base64 or has another length.
    pub fn from_texts(texts: &[(String, SecretString)]) -> Result<Self, InvalidKey> {
        let mut keys: Vec<SealingKey> = Vec::with_capacity(texts.len());
        for (id, text) in texts {
            let is_name =
                !id.is_empty() && id.len() <= NAME_BYTES && id.bytes().all(|b| b.is_ascii_graphic());
            if !is_name || keys.iter().any(|key| key.id == *id) {
                return Err(InvalidKey("must name each key once, in at most 32 visible characters"));
            }
            let wrong_length = InvalidKey("must hold keys of exactly 32 bytes in base64");
            let key: [u8; KEY_BYTES] = key_bytes(text)?.try_into().ok().ok_or(wrong_length)?;
            keys.push(SealingKey { id: id.clone(), key: SecretBox::new(Box::new(key)) });
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(InvalidKey("must hold at least one key"))?;
        Ok(Self { current: Arc::new(current), older: keys.collect() })
    }

    /// The name of the key that seals.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Seals for one place, named as `table|column|row`: opened in another place, the value is refused.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal(&self, ambient: &Ambient, place: &str, plain: &[u8]) -> Result<Sealed, SealingError> {
        let nonce: [u8; NONCE_BYTES] = ambient.random_bytes();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let cipher = self.current.cipher();
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok().ok_or(SealingError::Refused)?;
        Ok(Sealed { key_id: self.current.id.clone(), bytes: [nonce.as_slice(), sealed.as_slice()].concat() })
    }

    /// Opens what was sealed for the place.
    ///
    /// # Errors
    /// When its key is not among these, or it is not what was sealed for this place.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Vec<u8>, SealingError> {
        let mut keys = std::iter::once(&*self.current).chain(self.older.iter());
        let key = keys.find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| SealingError::NoKey(sealed.key_id.clone()))?;
        let broken = || SealingError::Broken(place.to_owned());
        let (nonce, bytes) = sealed.bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: bytes, aad: place.as_bytes() };
        key.cipher().decrypt(&XNonce::from(*nonce), payload).ok().ok_or_else(broken)
    }

    /// Opens a text that was sealed for the place.
    ///
    /// # Errors
    /// As [`open`](Self::open), or when it is no text.
    pub fn open_text(&self, place: &str, sealed: &Sealed) -> Result<SecretString, SealingError> {
        let plain = String::from_utf8(self.open(place, sealed)?).ok();
        plain.map(SecretString::from).ok_or_else(|| SealingError::Broken(place.to_owned()))
    }

    /// Seals anew what another key sealed; the value stays what it is.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn reseal(&self, ambient: &Ambient, place: &str, sealed: &Sealed) -> Result<Sealed, SealingError> {
        if sealed.key_id == self.current.id {
            return Ok(sealed.clone());
        }
        self.seal(ambient, place, &self.open(place, sealed)?)
    }
}

impl SealingKey {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.key.expose_secret().into())
    }
}

/// A key's bytes from base64 in either alphabet, padded or not; at least 32 of them.
///
/// # Errors
/// When the text is no base64, or too short.
pub fn key_bytes(text: &SecretString) -> Result<Vec<u8>, InvalidKey> {
    let standard = text.expose_secret().trim().replace('-', "+").replace('_', "/");
    match STANDARD_NO_PAD.decode(standard.trim_end_matches('=')) {
        Ok(bytes) if bytes.len() >= KEY_BYTES => Ok(bytes),
        Ok(_) => Err(InvalidKey("is too short: `openssl rand -base64 32` makes a good one")),
        Err(_) => Err(InvalidKey("is no base64: `openssl rand -base64 32` makes a good one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(named: &[(&str, u8)]) -> SealingKeys {
        let text = |fill| SecretString::from(STANDARD_NO_PAD.encode([fill; KEY_BYTES]));
        let texts: Vec<_> = named.iter().map(|(name, fill)| ((*name).to_owned(), text(*fill))).collect();
        SealingKeys::from_texts(&texts).unwrap()
    }

    #[test]
    fn a_secret_opens_in_its_own_place_alone() {
        let (ambient, keys) = (Ambient::system(), SealingKeys::single("a", [1; KEY_BYTES]));
        let sealed = keys.seal(&ambient, "t|c|1", b"secret").unwrap();
        assert_eq!(keys.open("t|c|1", &sealed).unwrap(), b"secret");
        assert_eq!(keys.open_text("t|c|1", &sealed).unwrap().expose_secret(), "secret");
        assert_eq!(keys.open("t|c|2", &sealed), Err(SealingError::Broken("t|c|2".to_owned())));
        assert_ne!(sealed, keys.seal(&ambient, "t|c|1", b"secret").unwrap(), "each has its own nonce");
        let mut altered = sealed.clone();
        *altered.bytes.last_mut().unwrap() ^= 1;
        assert!(keys.open("t|c|1", &altered).is_err());
        altered.bytes.truncate(10);
        assert!(keys.open("t|c|1", &altered).is_err());
        let no_text = keys.seal(&ambient, "t|c|1", &[0xff]).unwrap();
        assert!(keys.open_text("t|c|1", &no_text).is_err());
    }

    #[test]
    fn an_older_key_still_opens_and_its_secrets_move_to_the_new_one() {
        let ambient = Ambient::system();
        let (old, both, new) = (keys(&[("old", 1)]), keys(&[("new", 2), ("old", 1)]), keys(&[("new", 2)]));
        let sealed = old.seal(&ambient, "p", b"secret").unwrap();
        assert_eq!(both.open("p", &sealed).unwrap(), b"secret");
        assert_eq!(new.open("p", &sealed), Err(SealingError::NoKey("old".to_owned())));
        let moved = both.reseal(&ambient, "p", &sealed).unwrap();
        assert_eq!((moved.key_id.as_str(), both.current_id()), ("new", "new"));
        assert_eq!(new.open("p", &moved).unwrap(), b"secret");
        assert_eq!(both.reseal(&ambient, "p", &moved).unwrap(), moved, "it is where it should be");
        assert!(new.reseal(&ambient, "p", &sealed).is_err());
    }

    #[test]
    fn keys_that_are_none_are_refused_and_not_shown() {
        let key = || SecretString::from(STANDARD_NO_PAD.encode([7; KEY_BYTES]));
        let long = SecretString::from(STANDARD_NO_PAD.encode([7; KEY_BYTES + 1]));
        for texts in [
            vec![],
            vec![(String::new(), key())],
            vec![("a name".to_owned(), key())],
            vec![("a".repeat(33), key())],
            vec![("a".to_owned(), key()), ("a".to_owned(), key())],
            vec![("a".to_owned(), SecretString::from("c2hvcnQ="))],
            vec![("a".to_owned(), SecretString::from("not base64!"))],
            vec![("a".to_owned(), long)],
        ] {
            let error = SealingKeys::from_texts(&texts).unwrap_err().to_string();
            assert!(!error.contains("c2hvcnQ"), "{error}");
        }
        assert!(!format!("{:?}", SealingKeys::single("a", [7; KEY_BYTES])).contains("7, 7"));
    }

    #[test]
    fn base64_is_read_in_both_alphabets() {
        for text in ["+/+/".repeat(12), "-_-_".repeat(12), format!("{}==", "AAAA".repeat(11))] {
            assert!(key_bytes(&text.into()).is_ok());
        }
    }
}
