//! Putting the marketplace together from the configuration: keys, clients, folders.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::photo::{MediaUrls, PhotoConfig, PhotoError, Photos, local_folder};
use catalog::{Catalog, CatalogConfig};
use identity::{Identity, IdentityConfig, KeyError, KeyTexts, Keys};
use kernel::{Ambient, CursorCodec, InvalidKey, Money, SealingKeys, key_bytes};
use ledger::{Ledger, LedgerConfig};
use marketplace::{BoostDesk, Failpoint, Failpoints, Marketplace};
use moderation::Moderation;
use notify::{HookClient, Notify, NotifyConfig, OtpMessages, OtpTemplates};
use outbound::http::Timeouts;
use outbound::{Guard, GuardConfig};
use payments::{OrderLimits, Payments, PaymentsConfig, Razorpay, RazorpayConfigError};
use platform::Settings;
use secrecy::{ExposeSecret, SecretString};
use store::{Database, DatabaseConfig, StoreError};
use thiserror::Error;

use crate::config::{AuthConfig, Config, Profile};
use crate::senders::{SendersError, otp_senders, senders};

/// Seals devices' tokens in development; production has keys of its own.
const DEVELOPMENT_SEALING_KEY: &str = "ZGV2ZWxvcG1lbnQtc2VhbGluZy1rZXktMzItYnl0ZXM=";

/// Signs cursors in development; production has a key of its own.
const DEVELOPMENT_CURSOR_KEY: &[u8] = b"the development cursor key, known to everyone";

/// The name that messages are sent in.
const BRAND: &str = "DGT Marketplace";

/// The most that staff may let one top-up be, in paise: the bound of the setting `max_topup_amount`.
const LARGEST_TOP_UP: i64 = 50_000_000;

/// Why the marketplace cannot be put together; each names what to set.
#[derive(Debug, Error)]
pub enum WiringError {
    /// A key of identity.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key of cursors.
    #[error("DGT__AUTH__CURSOR_KEY {0}")]
    CursorKey(#[source] InvalidKey),
    /// A sealing key.
    #[error("DGT__AUTH__SEALING_KEYS must hold `name:base64 of 32 bytes`, separated by commas")]
    SealingKeys,
    /// A sealing key that is none.
    #[error("DGT__AUTH__SEALING_KEYS {0}")]
    SealingKey(#[from] InvalidKey),
    /// The senders of messages.
    #[error(transparent)]
    Senders(#[from] SendersError),
    /// The payment provider.
    #[error("payments cannot be set up: {0}")]
    Payments(#[from] RazorpayConfigError),
    /// A test wants to end the process somewhere that is no place.
    #[error("DGT_FAILPOINT is none of: {}", Failpoint::ALL.iter().map(|place| place.name()).collect::<Vec<_>>().join(", "))]
    Failpoint,
    /// The folder of photos.
    #[error("DGT__MEDIA__FOLDER cannot be used: {0}")]
    Media(#[from] PhotoError),
    /// Where this marketplace's API is.
    #[error("DGT__NOTIFY__API_URL must be the URL of this marketplace's API, such as https://api.example.in")]
    ApiUrl,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connects to the database that the configuration names.
///
/// # Errors
/// When it does not answer.
pub async fn connect(config: &Config) -> Result<Database, StoreError> {
    Database::connect(&DatabaseConfig {
        max_connections: config.database.max_connections,
        acquire_timeout: Duration::from_millis(config.database.acquire_timeout_ms),
        ..DatabaseConfig::new(config.database.url.expose_secret())
    })
    .await
}

/// The marketplace on a database.
///
/// # Errors
/// When a key, a sender or a folder cannot be used; the error names the setting.
pub async fn marketplace(
    config: &Config,
    db: Database,
    ambient: Ambient,
) -> Result<Marketplace, WiringError> {
    let identity =
        Identity::new(db.clone(), ambient.clone(), identity_config(&config.auth, &config.media.base_url)?);
    let media = MediaUrls::new(&config.media.base_url);
    let catalog_config = CatalogConfig { cursors: cursors(&config.auth)?, media: media.clone() };
    let catalog = Catalog::new(db.clone(), ambient.clone(), catalog_config);
    let files = local_folder(Path::new(&config.media.folder))?;
    let photos = Photos::new(
        db.clone(),
        ambient.clone(),
        files,
        PhotoConfig { urls: media, ..PhotoConfig::default() },
    );
    let templates = OtpTemplates {
        english: config.twilio.otp_dlt_template_id.clone(),
        hindi: config.twilio.otp_dlt_template_id_hindi.clone(),
    };
    let ledger = Ledger::new(db.clone(), ambient.clone(), LedgerConfig { cursors: cursors(&config.auth)? });
    let guard = Guard::new("razorpay", GuardConfig::default(), ambient.clone());
    Ok(Marketplace {
        identity,
        photos,
        moderation: Moderation::new(db.clone(), ambient.clone()),
        settings: Settings::new(db.clone(), ambient.clone()),
        otp_messages: OtpMessages::new(BRAND, templates),
        otp_senders: otp_senders(config, &ambient)?,
        notify: Notify::new(db.clone(), ambient.clone(), notify_config(config)?),
        senders: senders(config, &ambient)?,
        hooks: HookClient::new(),
        boost_desk: BoostDesk::open(&db, &ambient, &catalog, &ledger),
        catalog,
        ledger,
        payments: payments(config, &db, &ambient, guard)?,
        turns: marketplace::Turns::default(),
        failpoints: failpoints(config.profile)?,
        db,
        ambient,
    })
}

fn payments(
    config: &Config,
    db: &Database,
    ambient: &Ambient,
    guard: Guard,
) -> Result<Payments, WiringError> {
    let razorpay = &config.razorpay;
    let client = payments::RazorpayConfig {
        base_url: razorpay.base_url.clone(),
        key_id: razorpay.key_id.clone(),
        key_secret: razorpay.key_secret.clone(),
        timeouts: Timeouts::default(),
    };
    let provider = Arc::new(Razorpay::new(client, guard)?);
    let config = PaymentsConfig {
        key_id: razorpay.key_id.clone(),
        key_secret: razorpay.key_secret.clone(),
        webhook_secret: razorpay.webhook_secret.clone(),
        webhook_secret_previous: razorpay.previous_webhook_secret.clone(),
        cursors: cursors(&config.auth)?,
        limits: OrderLimits { max: Money::inr(LARGEST_TOP_UP), ..OrderLimits::default() },
    };
    Ok(Payments::new(db.clone(), ambient.clone(), config, provider))
}

/// The place at which a test wants the process to die as SIGKILL would have it, by `DGT_FAILPOINT`; never in production.
fn failpoints(profile: Profile) -> Result<Failpoints, WiringError> {
    let Some(wanted) = std::env::var("DGT_FAILPOINT").ok().filter(|_| profile != Profile::Production) else {
        return Ok(Failpoints::default());
    };
    let place = Failpoint::ALL.iter().find(|place| place.name() == wanted).ok_or(WiringError::Failpoint)?;
    Ok(Failpoints::new(move |reached| {
        if reached == *place {
            std::process::abort();
        }
        false
    }))
}

fn identity_config(auth: &AuthConfig, media_base: &str) -> Result<IdentityConfig, WiringError> {
    let keys = if auth.uses_development_keys() {
        tracing::warn!("the public development keys are in use: fit for development only");
        Keys::development()?
    } else {
        Keys::from_texts(&KeyTexts {
            otp_pepper: auth.otp_pepper.clone(),
            refresh_key: auth.refresh_key.clone(),
            sealing_keys: auth.sealing_keys.iter().map(named_key).collect::<Result<_, _>>()?,
            signing_key: auth.signing_key_pem.clone(),
            retired_signing_keys: auth.former_public_keys_pem.clone(),
        })?
    };
    let mut config = IdentityConfig::new(keys);
    config.issuer.clone_from(&auth.issuer);
    config.audience.clone_from(&auth.audience);
    config.media_base = media_base.to_owned();
    config.otp.per_client_hour = auth.otp_per_client_hour;
    config.otp.per_day = auth.otp_per_day;
    Ok(config)
}

fn named_key(text: &SecretString) -> Result<(String, SecretString), WiringError> {
    let (name, key) = text.expose_secret().split_once(':').ok_or(WiringError::SealingKeys)?;
    Ok((name.trim().to_owned(), SecretString::from(key.trim())))
}

fn cursors(auth: &AuthConfig) -> Result<CursorCodec, WiringError> {
    if auth.uses_development_keys() {
        return Ok(CursorCodec::new(DEVELOPMENT_CURSOR_KEY));
    }
    let key = key_bytes(&auth.cursor_key).map_err(WiringError::CursorKey)?;
    Ok(CursorCodec::new(&key))
}

fn notify_config(config: &Config) -> Result<NotifyConfig, WiringError> {
    let sealing = if config.auth.uses_development_keys() {
        vec![("development".to_owned(), SecretString::from(DEVELOPMENT_SEALING_KEY))]
    } else {
        config.auth.sealing_keys.iter().map(named_key).collect::<Result<_, _>>()?
    };
    let notify = &config.notify;
    let below = |path: &str| notify.api_url.join(path).map_err(|_unfit| WiringError::ApiUrl);
    let mut wired = NotifyConfig::new(
        cursors(&config.auth)?,
        SealingKeys::from_texts(&sealing)?,
        BRAND,
        notify.web_url.clone(),
        below("/api/notifications/unsubscribe")?,
    );
    wired.sms_status_url = notify.sms_status.then(|| below("/api/notifications/sms-status")).transpose()?;
    wired.can_push = config.fcm.service_account.is_some();
    wired.hooks_to_loopback = config.profile != Profile::Production;
    Ok(wired)
}
