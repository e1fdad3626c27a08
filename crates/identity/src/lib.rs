//! People: who they are, how they prove it, and what they may do.
//!
//! Owns one-time codes, sessions with their access and refresh tokens, profiles, standing and roles of users, and
//! the second factor of staff. Each part's invariants stand at the top of its module; in short:
//! - A guess at a code is evaluated only after the row itself admitted it: five per code, however many at once.
//! - A refresh token that was used before ends its session, except that the last one repeats its answer for 10 s.
//! - Every request reads its session: a block, a revocation or a role change bites at once.
//! - No code, token or secret is stored in a form that could be used, and none is ever logged.
//!
//! ```no_run
//! # async fn example(db: store::Database) -> Result<(), Box<dyn std::error::Error>> {
//! use identity::{Contact, Identity, IdentityConfig, Keys, Purpose, VerifyOtp};
//! use kernel::{Ambient, Origin};
//!
//! let identity = Identity::new(db, Ambient::system(), IdentityConfig::new(Keys::development()?));
//! let contact = Contact::parse(Some("+919876543210"), None)?;
//! let sent = identity.issue_otp(&contact, Purpose::Login, "203.0.113.9").await?;
//! // …the code is sent, read and entered:
//! let login = VerifyOtp::parse((Some("+919876543210"), None), "123456", Some("Asha"), Origin::default())?;
//! let logged_in = identity.verify_otp(&login).await?;
//! let actor = identity.authenticate(logged_in.access_token.expose()).await?;
//! assert!(actor.is(logged_in.user.id));
//! # Ok(()) }
//! ```

mod config;
mod contact;
mod counters;
mod error;
mod events;
mod keys;
mod otp;
mod secret_text;
mod session;
mod tidy;
mod totp;
mod user;

use std::sync::Arc;

use kernel::Ambient;
use store::Database;

pub use config::{IdentityConfig, OtpConfig};
pub use contact::Contact;
pub use error::IdentityError;
pub use keys::{JwkView, JwksView, KeyError, KeyTexts, Keys};
pub use otp::{IssuedOtp, OtpCode, OtpSentView, Purpose};
pub use secret_text::SecretText;
pub use session::{LoggedIn, RefreshedTokens, SessionView, VerifyOtp};
pub use tidy::Tidied;
pub use totp::{RecoveryCode, StepUpCode, SteppedUp, TotpConfirmed, TotpEnrolment};
pub use user::{
    Among, Avatar, ContactChanged, DisplayName, Language, Pincode, Place, ProfileChanges, Reach, Reason,
    SellerView, StaffUserView, StatusChange, UserFilter, UserSearch, UserStatus, UserView,
};

/// Everything this crate does. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity {
    db: Database,
    ambient: Ambient,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: IdentityConfig,
    access: session::AccessTokens,
}

impl Identity {
    /// Identity on this database, with this time and randomness.
    pub fn new(db: Database, ambient: Ambient, config: IdentityConfig) -> Self {
        let access = session::AccessTokens::new(&config);
        Self { db, ambient, shared: Arc::new(Shared { config, access }) }
    }

    /// The public keys that verify our access tokens.
    pub fn jwks(&self) -> JwksView {
        self.config().keys.signing.document()
    }

    pub(crate) fn config(&self) -> &IdentityConfig {
        &self.shared.config
    }
}
