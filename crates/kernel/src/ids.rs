//! Typed ids: a listing's id cannot be passed where a user's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// What every typed id can do.
pub trait TypedId: Copy + From<Uuid> + Into<Uuid> + fmt::Display {
    /// The id as the database keeps it.
    fn uuid(self) -> Uuid {
        self.into()
    }
}

/// The text is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a valid id: expected a UUID such as 018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
pub struct InvalidId;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(Uuid);

        impl TypedId for $name {}

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the hyphenated form: one id has one spelling in paths, keys and logs.
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(InvalidId),
                }
            }
        }
    )+};
}

typed_ids! {
    /// A person: buyer, seller or staff.
    UserId,
    /// One login on one device: a family of refresh tokens.
    SessionId,
    /// A category of goods.
    CategoryId,
    /// Something offered for sale.
    ListingId,
    /// An uploaded picture with its variants.
    PhotoId,
    /// A moderator's decision on a listing.
    ReviewId,
    /// An entry of the ledger: postings that belong together.
    JournalId,
    /// Money set aside until it is captured or released.
    HoldId,
    /// A boost that can be bought.
    BoostPlanId,
    /// A boost that was bought for a listing.
    BoostId,
    /// A top-up that somebody wants to pay.
    PaymentOrderId,
    /// A payment that the provider knows of.
    PaymentId,
    /// Money on its way back to where it came from.
    RefundId,
    /// A row of the outbox.
    EventId,
    /// A background job.
    JobId,
    /// A record of the audit log.
    AuditId,
    /// Something that somebody was told, in their inbox.
    NotificationId,
    /// A message on its way to somebody by push, SMS or mail.
    DeliveryId,
    /// A phone or browser that takes push messages.
    DeviceId,
    /// An address that webhooks are sent to.
    HookId,
    /// A webhook on its way.
    HookDeliveryId,
    /// Something told to many at once.
    AnnouncementId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11";
        let id: ListingId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for other in ["", "018f3e2a7c417d0b9b7e5d2f1c0a9e11", "{018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11}", "x"] {
            assert_eq!(other.parse::<ListingId>(), Err(InvalidId), "{other}");
        }
    }
}
