//! The settings, section by section. Every default is fit for development on one's own machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::messages::{FcmSection, NotifySection, SmtpConfig, TwilioAccount, TwilioConfig};

/// What the process is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// On one's own machine: works without any account anywhere.
    Development,
    /// Under automatic tests.
    Test,
    /// For real: refuses secrets meant for development.
    Production,
}

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the process is run for (`DGT__PROFILE`).
    pub profile: Profile,
    /// Listening, limits, proxies.
    pub server: ServerConfig,
    /// Where the data is.
    pub database: DatabaseSection,
    /// Keys and lifetimes of codes, tokens and second factors.
    pub auth: AuthConfig,
    /// Text messages.
    pub twilio: TwilioConfig,
    /// Another account for text messages, for when the first one does not send.
    pub twilio_standby: Option<TwilioAccount>,
    /// Mail.
    pub smtp: SmtpConfig,
    /// Another mail server, for when the first one does not send.
    pub smtp_standby: Option<SmtpConfig>,
    /// Push messages.
    pub fcm: FcmSection,
    /// Notifications.
    pub notify: NotifySection,
    /// Payments.
    pub razorpay: RazorpayConfig,
    /// Photos.
    pub media: MediaConfig,
    /// Sockets.
    pub realtime: RealtimeConfig,
    /// Between several processes.
    pub redis: RedisSection,
    /// Requests per minute.
    pub rate_limit: RateLimitConfig,
    /// The log.
    pub log: LogConfig,
    /// Measurements.
    pub metrics: MetricsConfig,
}

/// Listening, limits, proxies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on.
    pub bind: SocketAddr,
    /// Threads that serve requests; 0 takes one per core.
    pub workers: usize,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins that browsers may call from; none by default.
    pub cors_origins: Vec<String>,
    /// The largest JSON body, in bytes.
    pub body_limit_bytes: usize,
    /// How long a request may take, in milliseconds.
    pub request_timeout_ms: u64,
    /// How many requests may be under way at a time; more are answered 503.
    pub max_concurrent_requests: usize,
    /// How long a shutdown waits between failing `/readyz` and closing the door, in milliseconds.
    pub drain_ms: u64,
    /// How long a shutdown waits for requests and jobs under way, in seconds.
    pub shutdown_grace_s: u64,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    /// `sqlite://path`, `postgres://…` or `mysql://…`.
    pub url: SecretString,
    /// Connections at most.
    pub max_connections: u32,
    /// Readers that each server thread opens for itself; 0 leaves all of them to the common pool.
    pub thread_readers: u32,
    /// How long a request waits for a free connection, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// Whether `serve` and `work` bring the schema up to date when they start.
    pub migrate_at_start: bool,
}

/// Keys and lifetimes of codes, tokens and second factors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Who issues the access tokens (`iss`).
    pub issuer: String,
    /// For whom they are (`aud`).
    pub audience: String,
    /// Ed25519 private key as PKCS#8 PEM that signs access tokens (`openssl genpkey -algorithm ed25519`). Like the
    /// four keys below, it may stay empty outside production; public development keys are used then.
    pub signing_key_pem: SecretString,
    /// Public keys (PEM) of former signing keys that are still accepted.
    pub former_public_keys_pem: Vec<String>,
    /// Base64 of at least 32 bytes: keys the digests of one-time codes.
    pub otp_pepper: SecretString,
    /// Base64 of at least 32 bytes: keys refresh tokens.
    pub refresh_key: SecretString,
    /// Base64 of at least 32 bytes: signs cursors.
    pub cursor_key: SecretString,
    /// Keys that seal secrets at rest, as `name:base64 of 32 bytes`; the first one seals, all of them open.
    pub sealing_keys: Vec<SecretString>,
    /// One-time codes per client address and hour.
    pub otp_per_client_hour: u32,
    /// One-time codes in all per day: a stop to message pumping.
    pub otp_per_day: u32,
}

impl AuthConfig {
    /// The keys that must be set together, with the variables that set them.
    pub(super) fn keys(&self) -> [(&'static str, bool); 5] {
        let is_set = |secret: &SecretString| !secret.expose_secret().trim().is_empty();
        [
            ("DGT__AUTH__SIGNING_KEY_PEM", is_set(&self.signing_key_pem)),
            ("DGT__AUTH__OTP_PEPPER", is_set(&self.otp_pepper)),
            ("DGT__AUTH__REFRESH_KEY", is_set(&self.refresh_key)),
            ("DGT__AUTH__CURSOR_KEY", is_set(&self.cursor_key)),
            ("DGT__AUTH__SEALING_KEYS", !self.sealing_keys.is_empty()),
        ]
    }

    /// Whether no key is set, so that the public development keys are used.
    pub fn uses_development_keys(&self) -> bool {
        self.keys().iter().all(|(_, is_set)| !is_set)
    }
}

/// Payments through Razorpay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RazorpayConfig {
    /// Where the API is; the sandbox's address in development.
    pub base_url: Url,
    /// The public half of the key, which clients open the checkout with.
    pub key_id: String,
    /// The secret half, which also signs what the checkout gives back.
    pub key_secret: SecretString,
    /// What webhooks are signed with: the secret that was set with the webhook, not the key's.
    pub webhook_secret: SecretString,
    /// The webhook secret before the last change: events from before it still carry its signature.
    pub previous_webhook_secret: Option<SecretString>,
}

/// Photos.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaConfig {
    /// The folder they are kept in.
    pub folder: PathBuf,
    /// What their names are put behind to make a URL.
    pub base_url: String,
    /// How long an upload may take, in milliseconds.
    pub upload_timeout_ms: u64,
}

/// Sockets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealtimeConfig {
    /// Connections of this process at most; more are refused.
    pub max_connections: usize,
    /// Connections from one address at most (of IPv6, from one /64); more are refused. Many people can share one.
    pub max_connections_per_address: usize,
    /// Connections of one person to this process at most; more are refused.
    pub max_connections_per_user: usize,
    /// How much may wait for one client, in bytes; one that reads too slowly for it is cut.
    pub max_queue_bytes: usize,
}

/// Between several processes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSection {
    /// `redis://host:port`, or `rediss://…` for TLS. Without one, other processes' sockets hear what happens here up to
    /// a second later.
    pub url: Option<SecretString>,
    /// The channel that all processes of this deployment share, and no other deployment on the same Redis.
    pub channel: String,
}

/// Requests per minute and client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitConfig {
    /// Whether there are limits at all; production refuses to go without.
    pub enabled: bool,
    /// Of every kind.
    pub general_per_minute: u32,
    /// Of logging in and refreshing.
    pub auth_per_minute: u32,
    /// Of asking for one-time codes.
    pub otp_per_minute: u32,
}

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How it looks.
    pub format: LogFormat,
    /// What is in it: a filter such as `info,gateway=debug`.
    pub filter: String,
}

/// Measurements.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// The bearer token that `/metrics` wants; without one it answers this host alone.
    pub token: Option<SecretString>,
}
