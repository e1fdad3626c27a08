//! Ed25519 keys for access tokens: one signs, several are believed, all are published (RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{KEY_BYTES, KeyError};

/// What stands before the 32 bytes of an Ed25519 private key in PKCS#8 (RFC 8410 §10.3).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The public keys that verify access tokens (RFC 7517).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JwksView {
    /// The key that signs now comes first.
    pub keys: Vec<JwkView>,
}

/// One public key (RFC 8037 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JwkView {
    /// Key type.
    #[schema(example = "OKP")]
    pub kty: &'static str,
    /// Curve.
    #[schema(example = "Ed25519")]
    pub crv: &'static str,
    /// What it is for: signatures.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    pub usage: &'static str,
    /// Algorithm.
    #[schema(example = "EdDSA")]
    pub alg: &'static str,
    /// The key's id: its RFC 7638 thumbprint.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    pub kid: String,
    /// The public key, base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

/// The key that signs, and the keys whose signatures are believed.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    signer: EncodingKey,
    current: VerifyingKey,
    retired: Vec<VerifyingKey>,
}

#[derive(Debug)]
struct VerifyingKey {
    kid: String,
    x: String,
    key: DecodingKey,
}

impl SigningKeys {
    /// Reads the signing key and the retired public ones, each given with its setting's name.
    pub(crate) fn from_pem(
        (setting, pem): (&str, &SecretString),
        (retired_setting, retired_pems): (&str, &[String]),
    ) -> Result<Self, KeyError> {
        let signer = EncodingKey::from_ed_pem(pem.expose_secret().trim().as_bytes())
            .ok()
            .ok_or_else(|| KeyError::new(setting, "is no Ed25519 private key in PKCS#8 PEM"))?;
        let retired = retired_pems.iter().map(|pem| {
            let broken = || KeyError::new(retired_setting, "must hold Ed25519 public keys in PEM");
            let key = DecodingKey::from_ed_pem(pem.trim().as_bytes()).ok().ok_or_else(broken)?;
            let public = key.try_get_as_bytes().ok().ok_or_else(broken)?;
            public.try_into().map(VerifyingKey::new).ok().ok_or_else(broken)
        });
        let retired = retired.collect::<Result<_, _>>()?;
        Self::of(setting, signer, retired)
    }

    /// The key whose 32 private bytes these are.
    pub(crate) fn from_seed(setting: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, KeyError> {
        let pkcs8 = [PKCS8_PREFIX.as_slice(), seed].concat();
        Self::of(setting, EncodingKey::from_ed_der(&pkcs8), Vec::new())
    }

    fn of(setting: &str, signer: EncodingKey, retired: Vec<VerifyingKey>) -> Result<Self, KeyError> {
        let public_of = DEFAULT_PROVIDER.key_utils.ed_pub_components_from_private_key;
        let unusable = || KeyError::new(setting, "holds no usable Ed25519 key");
        let public = public_of(signer.as_bytes(), &EllipticCurve::Ed25519).ok().ok_or_else(unusable)?;
        let public: [u8; KEY_BYTES] = public.try_into().ok().ok_or_else(unusable)?;
        Ok(Self { signer, current: VerifyingKey::new(public), retired })
    }

    /// The key that signs, with its id.
    pub(crate) fn signer(&self) -> (&str, &EncodingKey) {
        (&self.current.kid, &self.signer)
    }

    /// The key of this id, if it is one of ours.
    pub(crate) fn verifier(&self, kid: &str) -> Option<&DecodingKey> {
        self.all().find(|key| key.kid == kid).map(|key| &key.key)
    }

    /// The public keys as they are published.
    pub(crate) fn document(&self) -> JwksView {
        let keys = self.all().map(|key| JwkView {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: "EdDSA",
            kid: key.kid.clone(),
            x: key.x.clone(),
        });
        JwksView { keys: keys.collect() }
    }

    fn all(&self) -> impl Iterator<Item = &VerifyingKey> {
        std::iter::once(&self.current).chain(&self.retired)
    }
}

impl VerifyingKey {
    fn new(public: [u8; KEY_BYTES]) -> Self {
        let x = URL_SAFE_NO_PAD.encode(public);
        // RFC 7638 §3: the required members in lexical order, without blanks.
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        Self {
            kid: URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes())),
            x,
            key: DecodingKey::from_ed_der(&public),
        }
    }
}
