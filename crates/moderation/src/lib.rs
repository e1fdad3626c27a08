//! Trust: what moderators decide about listings, and why.
//!
//! Invariants:
//! - A submission, which is a listing at a version, is decided once: a unique key says so, whoever races.
//! - A rejection names a reason, and the reason `other` says which.
//! - A decision and its audit record are written in one transaction, the caller's.
//!
//! What a decision means to the listing is not known here: the flow that records it changes the listing too.
//!
//! ```
//! use moderation::{ReasonCode, Verdict};
//!
//! let verdict = Verdict::parse("REJECT", Some("bad_photos"), None).unwrap();
//! assert_eq!(verdict.reason(), Some(ReasonCode::BadPhotos));
//! assert!(Verdict::parse("REJECT", None, None).is_err());
//! ```

mod error;
mod reason;
mod review;

use kernel::Ambient;
use store::Database;

pub use error::ModerationError;
pub use reason::{ReasonCode, ReasonTextView, ReasonView, reasons};
pub use review::{Decision, NewDecision, ReviewView, Verdict};

/// Records and reads decisions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Moderation {
    db: Database,
    ambient: Ambient,
}

impl Moderation {
    /// The moderation of a database.
    pub fn new(db: Database, ambient: Ambient) -> Self {
        Self { db, ambient }
    }
}
