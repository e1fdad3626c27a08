//! Settings from three places, each over the one before: defaults in code, a TOML file, and the environment as
//! `DGT__SECTION__KEY`. Secrets are wrapped; the production profile refuses those meant for development.

mod load;
mod messages;
mod production;
mod sections;

pub use load::{ConfigError, load};
pub use messages::{
    FcmSection, MailProvider, NotifySection, SmsProvider, SmtpConfig, TwilioAccount, TwilioConfig,
};
pub use sections::{
    AuthConfig, Config, DatabaseSection, LogConfig, LogFormat, MediaConfig, MetricsConfig, Profile,
    RateLimitConfig, RazorpayConfig, ServerConfig,
};
