//! A list of forged tokens, each refused, and the one that is not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::Keys;

const NOW: &str = "2026-03-01T10:00:00Z";

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

fn config() -> IdentityConfig {
    IdentityConfig::new(Keys::development().unwrap())
}

fn header(config: &IdentityConfig) -> Value {
    json!({"typ": "at+jwt", "alg": "EdDSA", "kid": config.keys.signing.signer().0})
}

fn claims(config: &IdentityConfig) -> Value {
    json!({
        "iss": config.issuer, "aud": config.audience,
        "sub": "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11", "sid": "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e12",
        "jti": "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e13",
        "iat": now().timestamp(), "nbf": now().timestamp(), "exp": now().timestamp() + 600,
    })
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token of these texts, really signed with our key: only what it says is wrong with it.
fn signed(config: &IdentityConfig, header: &str, claims: &str) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let (_, key) = config.keys.signing.signer();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

fn with(mut value: Value, name: &str, to: Value) -> String {
    value[name] = to;
    value.to_string()
}

fn verify(config: &IdentityConfig, token: &str, at: DateTime<Utc>) -> Result<Claims, IdentityError> {
    AccessTokens::new(config).verify(&config.keys.signing, token, at)
}

#[track_caller]
fn refused(config: &IdentityConfig, what: &str, token: &str) {
    assert!(matches!(verify(config, token, now()), Err(IdentityError::InvalidToken)), "{what}");
}

#[test]
fn a_token_of_ours_is_believed() {
    let config = config();
    let token = signed(&config, &header(&config).to_string(), &claims(&config).to_string());
    assert_eq!(verify(&config, &token, now()).unwrap().exp, now().timestamp() + 600);
}

#[test]
fn a_token_that_we_issue_is_one_that_we_believe() {
    let config = config();
    let ambient = Ambient::system();
    let tokens = AccessTokens::new(&config);
    let (user, session) = (ambient.new_id(), ambient.new_id());
    let token = tokens.issue(&config, &ambient, (user, session)).unwrap();
    let claims = tokens.verify(&config.keys.signing, token.expose(), ambient.now()).unwrap();
    assert_eq!((claims.sub, claims.sid), (user, session));
    assert!(!format!("{token:?}").contains(token.expose()));
}

#[test]
fn a_token_that_was_believed_before_is_measured_by_the_clock_all_the_same() {
    let config = config();
    let tokens = AccessTokens::new(&config);
    let verify = |token: &str, at| tokens.verify(&config.keys.signing, token, at);
    let token = signed(&config, &header(&config).to_string(), &claims(&config).to_string());
    for _ in 0..3 {
        assert!(verify(&token, now()).is_ok());
        let late = now() + TimeDelta::seconds(606);
        assert!(matches!(verify(&token, late), Err(IdentityError::TokenExpired)));
        let early = now() - TimeDelta::seconds(6);
        assert!(matches!(verify(&token, early), Err(IdentityError::InvalidToken)));
    }
    let (message, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", signature.chars().rev().collect::<String>());
    for _ in 0..2 {
        assert!(matches!(verify(&forged, now()), Err(IdentityError::InvalidToken)), "its neighbour");
    }
}

#[test]
fn of_more_tokens_than_there_are_places_none_is_taken_for_another() {
    let claims: Claims = serde_json::from_value(claims(&config())).unwrap();
    let memory = Proved::new(7);
    let ambient = Ambient::system();
    let all: Vec<_> = (0..200).map(|n| (Proved::print(&format!("token {n}")), ambient.new_id())).collect();
    for (print, session) in &all {
        memory.keep(*print, Claims { sid: *session, ..claims.clone() });
        assert_eq!(memory.recall(print).unwrap().sid, *session);
    }
    let remembered: Vec<_> =
        all.iter().filter_map(|(print, session)| Some((memory.recall(print)?.sid, *session))).collect();
    assert_eq!(remembered.len(), 7, "the last one of each place");
    assert!(remembered.iter().all(|(sid, session)| sid == session));
    assert!(Proved::new(0).recall(&all[0].0).is_none());
}

#[test]
fn a_token_without_our_signature_is_refused() {
    let config = config();
    let (header, claims) = (header(&config), claims(&config));
    for alg in ["none", "None", "nONE"] {
        let header = with(header.clone(), "alg", json!(alg));
        refused(&config, alg, &format!("{}.{}.", part(&header), part(&claims.to_string())));
        refused(&config, alg, &signed(&config, &header, &claims.to_string()));
    }
    let good = signed(&config, &header.to_string(), &claims.to_string());
    let (message, signature) = good.rsplit_once('.').unwrap();
    refused(&config, "empty signature", &format!("{message}."));
    refused(&config, "no signature", message);
    refused(
        &config,
        "short signature",
        &format!("{message}.{}", signature.chars().take(40).collect::<String>()),
    );
    let (head, _) = message.split_once('.').unwrap();
    let other = part(&with(claims.clone(), "sid", json!("018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9eff")));
    refused(&config, "another payload under the same signature", &format!("{head}.{other}.{signature}"));
}

#[test]
fn our_public_key_is_no_secret_to_sign_with() {
    let config = config();
    let x = &config.keys.signing.document().keys[0].x;
    let public = URL_SAFE_NO_PAD.decode(x).unwrap();
    for secret in [public.as_slice(), x.as_bytes()] {
        let header = with(header(&config), "alg", json!("HS256"));
        let message = format!("{}.{}", part(&header), part(&claims(&config).to_string()));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(message.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        refused(&config, "HS256 with the public key", &format!("{message}.{signature}"));
    }
}

#[test]
fn a_header_cannot_bring_its_own_key() {
    let config = config();
    let stranger = SigningKeys::from_seed("s", &[9; 32]).unwrap();
    let jwk = serde_json::to_value(&stranger.document().keys[0]).unwrap();
    let (kid, key) = stranger.signer();
    let signed_by_stranger = |header: Value| {
        let message = format!("{}.{}", part(&header.to_string()), part(&claims(&config).to_string()));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::EdDSA).unwrap();
        format!("{message}.{signature}")
    };
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:1/jwks.json")),
        ("x5u", json!("http://127.0.0.1:1/cert")),
        ("kid", json!(kid)),
    ] {
        let mut header = header(&config);
        header[name] = value;
        refused(&config, name, &signed_by_stranger(header));
    }
}

#[test]
fn a_key_id_is_looked_up_and_nothing_else() {
    let config = config();
    for kid in [
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("' OR '1'='1"),
        json!(""),
        json!(7),
        Value::Null,
    ] {
        let header = with(header(&config), "kid", kid.clone());
        refused(&config, &kid.to_string(), &signed(&config, &header, &claims(&config).to_string()));
    }
}

#[test]
fn a_token_for_something_else_is_refused() {
    let config = config();
    let (good_header, good_claims) = (header(&config), claims(&config));
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("typ", Value::Null),
        ("alg", json!("RS256")),
        ("crit", json!(["exp"])),
    ] {
        let header = with(good_header.clone(), name, value.clone());
        refused(&config, &format!("{name} {value}"), &signed(&config, &header, &good_claims.to_string()));
    }
    for (name, value) in [
        ("aud", json!("another-api")),
        ("aud", json!([config.audience])),
        ("iss", json!("somebody-else")),
        ("sub", json!("root")),
        ("sid", Value::Null),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("nbf", Value::Null),
        ("nbf", json!(now().timestamp() + 6)),
        ("exp", json!(i64::MAX)),
    ] {
        let claims = with(good_claims.clone(), name, value.clone());
        refused(&config, &format!("{name} {value}"), &signed(&config, &good_header.to_string(), &claims));
    }
}

#[test]
fn a_repeated_claim_is_refused() {
    let config = config();
    let claims = claims(&config).to_string();
    let doubled = claims.replacen('{', r#"{"sub":"018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9eff","#, 1);
    refused(&config, "sub twice", &signed(&config, &header(&config).to_string(), &doubled));
    let header = header(&config).to_string().replacen('{', r#"{"alg":"EdDSA","#, 1);
    refused(&config, "alg twice", &signed(&config, &header, &claims));
}

#[test]
fn a_refresh_token_is_no_access_token() {
    let config = config();
    let token = crate::session::refresh_token::write(&config.keys.refresh, Ambient::system().new_id(), 1);
    refused(&config, "refresh token", token.expose());
    for text in ["", ".", "..", "...", "a.b.c", "é.é.é", &"x".repeat(10_000)] {
        refused(&config, text, text);
    }
}

#[test]
fn a_token_expired_by_six_seconds_is_refused_and_by_five_is_not() {
    let config = config();
    let token = signed(&config, &header(&config).to_string(), &claims(&config).to_string());
    let expiry = now() + TimeDelta::seconds(600);
    assert!(verify(&config, &token, expiry + TimeDelta::seconds(5)).is_ok());
    for late in [TimeDelta::milliseconds(5_001), TimeDelta::seconds(6), TimeDelta::days(400)] {
        assert!(matches!(verify(&config, &token, expiry + late), Err(IdentityError::TokenExpired)));
    }
}
