//! Keys are read or refused by name; key ids follow the RFC's example.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::*;

const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
    -----END PUBLIC KEY-----\n";

fn texts() -> KeyTexts {
    let key = STANDARD_NO_PAD.encode([7; 32]);
    KeyTexts {
        otp_pepper: key.clone().into(),
        refresh_key: key.clone().into(),
        sealing_keys: vec![("2026-01".to_owned(), key.into())],
        signing_key: PEM.into(),
        retired_signing_keys: vec![],
    }
}

/// RFC 8037 appendix A: the key, its public half and its thumbprint.
#[test]
fn the_key_id_is_the_thumbprint_of_rfc_8037() {
    let keys = Keys::from_texts(&texts()).unwrap();
    let document = keys.signing.document();
    assert_eq!(document.keys.len(), 1);
    assert_eq!(document.keys[0].x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(document.keys[0].kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let wire = serde_json::to_value(&document).unwrap();
    assert_eq!(wire["keys"][0]["use"], "sig");
    assert_eq!(wire["keys"][0]["kty"], "OKP");
}

#[test]
fn a_retired_key_is_published_after_the_one_that_signs() {
    let development = Keys::development().unwrap().signing.document();
    let mut texts = texts();
    texts.retired_signing_keys.push(PUBLIC_PEM.to_owned());
    let keys = Keys::from_texts(&texts).unwrap();
    assert_eq!(keys.signing.document().keys.len(), 2);
    assert!(keys.signing.verifier("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k").is_some());
    assert!(keys.signing.verifier(&development.keys[0].kid).is_none());
}

#[test]
fn a_key_that_cannot_be_read_is_named_and_not_shown() {
    type Spoil = fn(&mut KeyTexts);
    let wrong: [(&str, Spoil); 6] = [
        ("auth.otp_pepper", |t| t.otp_pepper = "not base64!".into()),
        ("auth.refresh_key", |t| t.refresh_key = "c2hvcnQ=".into()),
        ("auth.sealing_keys", |t| t.sealing_keys.clear()),
        ("auth.sealing_keys", |t| t.sealing_keys.push(t.sealing_keys[0].clone())),
        ("auth.signing_key_pem", |t| t.signing_key = PUBLIC_PEM.into()),
        ("auth.former_public_keys_pem", |t| t.retired_signing_keys.push("x".into())),
    ];
    for (setting, spoil) in wrong {
        let mut texts = texts();
        spoil(&mut texts);
        let error = Keys::from_texts(&texts).unwrap_err();
        assert_eq!(error.setting, setting);
        assert!(!error.to_string().contains("c2hvcnQ"), "{error}");
    }
    assert!(!format!("{:?}", texts()).contains("BEGIN PRIVATE"));
    assert!(!format!("{:?}", Keys::from_texts(&texts()).unwrap()).contains("[7, 7"));
}

#[test]
fn a_digest_keeps_its_parts_apart() {
    let key = MacKey::new(vec![1; 32]);
    assert_ne!(key.digest("l", &[b"ab", b"c"]), key.digest("l", &[b"a", b"bc"]));
    assert_ne!(key.digest("l", &[b"a"]), key.digest("m", &[b"a"]));
    assert_ne!(key.digest("l", &[b"a"]), MacKey::new(vec![2; 32]).digest("l", &[b"a"]));
}
