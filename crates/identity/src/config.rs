//! What an installation decides: keys, names on tokens, durations and limits.

use chrono::TimeDelta;

use crate::Keys;

/// Everything this crate is configured with; [`IdentityConfig::new`] has the usual values.
#[derive(Debug)]
pub struct IdentityConfig {
    /// The secrets.
    pub keys: Keys,
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// What authenticator apps call us; must not hold a colon.
    pub totp_issuer: String,
    /// What the name of a picture's file is put behind to make its URL.
    pub media_base: String,
    /// How long an access token is valid; at most 10 minutes, because its role is read anew but its bearer is not.
    pub access_token_life: TimeDelta,
    /// How long a session may live, however often it is refreshed.
    pub session_life: TimeDelta,
    /// How long a session lives without being refreshed.
    pub session_idle: TimeDelta,
    /// For how long the token that was just rotated away may be presented again, after an answer that was lost.
    pub refresh_grace: TimeDelta,
    /// For how long a fresh authenticator code counts for decisions that need one.
    pub step_up_life: TimeDelta,
    /// One-time codes.
    pub otp: OtpConfig,
}

/// Durations and limits of one-time codes. A window begins with the first event that is counted in it.
#[derive(Debug, Clone)]
pub struct OtpConfig {
    /// How long a code is valid.
    pub life: TimeDelta,
    /// How long to wait before another code is sent to the same contact for the same purpose.
    pub resend_after: TimeDelta,
    /// Codes per contact and hour.
    pub per_contact_hour: u32,
    /// Codes per contact and day.
    pub per_contact_day: u32,
    /// Codes per client address (or IPv6 /64 network) and hour.
    pub per_client_hour: u32,
    /// Codes per day in all: what bounds the bill when somebody pumps messages.
    pub per_day: u32,
    /// Wrong guesses per contact and day.
    pub wrong_per_contact_day: u32,
}

impl IdentityConfig {
    /// The usual values with these keys.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            issuer: "dgt-marketplace".to_owned(),
            audience: "dgt-marketplace-api".to_owned(),
            totp_issuer: "DGT Marketplace".to_owned(),
            media_base: "/media/".to_owned(),
            access_token_life: TimeDelta::minutes(10),
            session_life: TimeDelta::days(30),
            session_idle: TimeDelta::days(14),
            refresh_grace: TimeDelta::seconds(10),
            step_up_life: TimeDelta::minutes(5),
            otp: OtpConfig::default(),
        }
    }
}

impl IdentityConfig {
    /// The URL of a picture's file.
    pub(crate) fn media_url(&self, file: &str) -> String {
        format!("{}/{file}", self.media_base.trim_end_matches('/'))
    }
}

impl Default for OtpConfig {
    fn default() -> Self {
        Self {
            life: TimeDelta::minutes(5),
            resend_after: TimeDelta::seconds(30),
            per_contact_hour: 5,
            per_contact_day: 10,
            per_client_hour: 30,
            per_day: 10_000,
            wrong_per_contact_day: 20,
        }
    }
}
