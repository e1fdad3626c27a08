//! Firebase Cloud Messaging, HTTP v1, for one project: Google's token endpoint, `messages:send`, and topics.
//!
//! It is as strict as the real one: an assertion must be signed by the service account's key, for Google's own address
//! and for an hour at most; a message has exactly one target, no unknown field, texts alone in its data and 4096 bytes;
//! errors carry the details by which clients tell a dead token from a wrong message. A push lands in the inbox with the
//! token as its recipient, its title as subject and its text as body. Nothing is kept for devices that are off, and
//! nothing is collapsed: every message that was taken is in the inbox.

mod control;
mod error;
mod message;
mod oauth;
mod send;
mod topics;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web;
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::DecodingKey;
use kernel::Ambient;
use serde::{Deserialize, Serialize};

use self::error::ApiError;
use crate::config::SandboxConfig;

/// The project that the service account belongs to.
pub const FCM_PROJECT: &str = "dgt-sandbox";

/// The key of the sandbox's only service account, as the JSON file that Google gives. It opens nothing but the sandbox.
pub const FCM_SERVICE_ACCOUNT: &str = include_str!("service_account.json");

/// The address in whose name assertions are made out, whoever answers there.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

const CLIENT_EMAIL: &str = "push@dgt-sandbox.iam.gserviceaccount.com";

/// What becomes of messages to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FcmTokenState {
    /// They arrive.
    Alive,
    /// The app was removed.
    Unregistered,
    /// The token belongs to another project.
    SenderMismatch,
}

/// The one project.
pub(crate) struct Fcm {
    key: DecodingKey,
    token_life: TimeDelta,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The access tokens that were given, and until when each holds.
    access: HashMap<String, DateTime<Utc>>,
    granted: usize,
    devices: HashMap<String, FcmTokenState>,
    topics: BTreeMap<String, BTreeSet<String>>,
}

impl Fcm {
    /// A project without devices.
    ///
    /// # Errors
    /// When the service account's public key cannot be read.
    pub(crate) fn new(config: &SandboxConfig) -> anyhow::Result<Self> {
        let key = DecodingKey::from_rsa_pem(include_bytes!("service_account.pub.pem"))
            .context("the service account's public key cannot be read")?;
        let token_life = TimeDelta::seconds(config.fcm_token_life.into());
        Ok(Self { key, token_life, state: Mutex::default() })
    }

    /// What becomes of messages to a token from now on.
    pub(crate) fn set_token(&self, token: &str, state: FcmTokenState) {
        self.state().devices.insert(token.to_owned(), state);
    }

    /// How many access tokens were given.
    pub(crate) fn granted(&self) -> usize {
        self.state().granted
    }

    /// The tokens of a topic, in their order.
    pub(crate) fn subscribers(&self, topic: &str) -> Vec<String> {
        self.state().topics.get(topic).into_iter().flatten().cloned().collect()
    }

    /// Gives a new access token.
    fn grant(&self, ambient: &Ambient) -> String {
        let token = format!("ya29.{}", hex::encode(ambient.random_bytes::<24>()));
        let mut state = self.state();
        let now = ambient.now();
        state.access.retain(|_, until| *until > now);
        state.access.insert(token.clone(), now + self.token_life);
        state.granted += 1;
        token
    }

    /// Lets in whoever has an access token that holds.
    fn admit(&self, authorization: Option<&str>, now: DateTime<Utc>) -> Result<(), ApiError> {
        let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or_else(ApiError::unauthenticated)?;
        match self.state().access.get(token) {
            Some(until) if *until > now => Ok(()),
            _ => Err(ApiError::unauthenticated()),
        }
    }

    fn device(&self, token: &str) -> FcmTokenState {
        self.state().devices.get(token).copied().unwrap_or(FcmTokenState::Alive)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of Google's services, and of what is done to devices by hand.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(oauth::resource())
        .service(send::resource())
        .configure(topics::routes)
        .configure(control::routes);
}
