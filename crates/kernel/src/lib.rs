//! The words every crate speaks: money, typed ids, time, pages, errors, who is acting and what they may do.
//!
//! Pure: no database, no async, no I/O beyond asking the system for the time and for randomness, and both of
//! those only through [`Ambient`], so that a test or a simulation can put its own in their place.
//!
//! ```
//! use kernel::{Money, Phone};
//!
//! let price = Money::inr(5_500_000);
//! assert_eq!(price.to_string(), "INR 55000.00");
//! assert_eq!(Phone::parse("098765 43210").unwrap().as_str(), "+919876543210");
//! ```

mod actor;
mod ambient;
mod caller;
mod contact;
mod cursor;
mod error;
mod ids;
mod money;
mod page;
mod permission;
mod sealing;
mod text;

pub use actor::{Actor, StaffFacts};
pub use ambient::{Ambient, Clock, Entropy, SystemClock, SystemEntropy, micros};
pub use caller::{Caller, Origin};
pub use contact::{Email, Phone};
pub use cursor::{CursorCodec, InvalidCursor};
pub use error::{DomainError, ErrorKind, FieldError, FieldErrors, InvalidInput, ParseError};
pub use ids::{
    AnnouncementId, AuditId, BoostId, BoostPlanId, CategoryId, DeliveryId, DeviceId, EventId, HoldId,
    HookDeliveryId, HookId, InvalidId, JobId, JournalId, ListingId, NotificationId, PaymentId,
    PaymentOrderId, PhotoId, RefundId, ReviewId, SessionId, TypedId, UserId,
};
pub use money::{Currency, Money, MoneyError};
pub use page::{Page, Pagination, Paging};
pub use permission::{Permission, Role};
pub use sealing::{InvalidKey, Sealed, SealingError, SealingKeys, key_bytes};
pub use text::bounded_text;
