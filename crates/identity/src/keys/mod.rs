//! The secrets of identity: read from text with errors that name the setting, never shown.

mod mac;
mod signing;

use kernel::{InvalidKey, SealingKeys, key_bytes};
use secrecy::SecretString;
use thiserror::Error;

pub(crate) use mac::MacKey;
pub(crate) use signing::SigningKeys;
pub use signing::{JwkView, JwksView};

/// Bytes of an Ed25519 key.
const KEY_BYTES: usize = 32;

/// All secrets of this crate.
#[derive(Debug)]
pub struct Keys {
    pub(crate) pepper: MacKey,
    pub(crate) refresh: MacKey,
    pub(crate) sealing: SealingKeys,
    pub(crate) signing: SigningKeys,
}

/// The secrets as an installation writes them down.
#[derive(Debug, Clone)]
pub struct KeyTexts {
    /// Base64 of at least 32 bytes: keys the digests of codes and contacts.
    pub otp_pepper: SecretString,
    /// Base64 of at least 32 bytes: keys the digest in refresh tokens.
    pub refresh_key: SecretString,
    /// Name and base64 of 32 bytes each; the first seals, all open. Keep an old one until nothing carries its name.
    pub sealing_keys: Vec<(String, SecretString)>,
    /// An Ed25519 private key, PKCS#8 PEM (`openssl genpkey -algorithm ed25519`): signs access tokens.
    pub signing_key: SecretString,
    /// Ed25519 public keys, PEM (`openssl pkey -pubout`), whose tokens are still accepted.
    pub retired_signing_keys: Vec<String>,
}

/// A key cannot be read. Names the setting, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{setting} {problem}")]
pub struct KeyError {
    /// Which setting, as `auth.otp_pepper`.
    pub setting: String,
    /// What is wrong, and what would be right.
    pub problem: &'static str,
}

impl KeyError {
    pub(crate) fn new(setting: &str, problem: &'static str) -> Self {
        Self { setting: setting.to_owned(), problem }
    }
}

impl Keys {
    /// Reads the keys.
    ///
    /// # Errors
    /// With the name of the setting that holds no such key.
    pub fn from_texts(texts: &KeyTexts) -> Result<Self, KeyError> {
        Ok(Self {
            pepper: MacKey::new(named("auth.otp_pepper", key_bytes(&texts.otp_pepper))?),
            refresh: MacKey::new(named("auth.refresh_key", key_bytes(&texts.refresh_key))?),
            sealing: named("auth.sealing_keys", SealingKeys::from_texts(&texts.sealing_keys))?,
            signing: SigningKeys::from_pem(
                ("auth.signing_key_pem", &texts.signing_key),
                ("auth.former_public_keys_pem", &texts.retired_signing_keys),
            )?,
        })
    }

    /// The same keys on every machine, for development and tests. Everybody knows them, so a production
    /// configuration must refuse them.
    ///
    /// # Errors
    /// When the cryptography library does not work at all.
    pub fn development() -> Result<Self, KeyError> {
        let root = MacKey::new(b"the development keys of DGT Marketplace, known to everyone".to_vec());
        let derived = |name: &str| root.digest("development-key", &[name.as_bytes()]);
        Ok(Self {
            pepper: MacKey::new(derived("otp_pepper").to_vec()),
            refresh: MacKey::new(derived("refresh_key").to_vec()),
            sealing: SealingKeys::single("development", derived("sealing_key")),
            signing: SigningKeys::from_seed("development key", &derived("signing_key"))?,
        })
    }
}

/// What was read, or the setting that it could not be read from.
fn named<T>(setting: &str, read: Result<T, InvalidKey>) -> Result<T, KeyError> {
    read.map_err(|InvalidKey(problem)| KeyError::new(setting, problem))
}

#[cfg(test)]
mod tests;
