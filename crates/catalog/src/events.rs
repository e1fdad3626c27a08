//! What happened to listings, told through the outbox.

use kernel::{Ambient, CategoryId, ListingId, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::{NewEvent, StoreError, append_event_in_txn};

use crate::listing::ListingStatus;

pub(crate) const CREATED: &str = "listing.created";
pub(crate) const SUBMITTED: &str = "listing.submitted";
pub(crate) const UPDATED: &str = "listing.updated";
pub(crate) const APPROVED: &str = "listing.approved";
pub(crate) const REJECTED: &str = "listing.rejected";
pub(crate) const PAUSED: &str = "listing.paused";
pub(crate) const RESUMED: &str = "listing.resumed";
pub(crate) const RENEWED: &str = "listing.renewed";
pub(crate) const SOLD: &str = "listing.sold";
pub(crate) const EXPIRING: &str = "listing.expiring";
pub(crate) const EXPIRED: &str = "listing.expired";
pub(crate) const DELETED: &str = "listing.deleted";
pub(crate) const CONTACTED: &str = "listing.contacted";
pub(crate) const BOOSTED: &str = "listing.boosted";
pub(crate) const BOOST_ENDED: &str = "listing.boost_ended";

/// What every event of a listing tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) id: ListingId,
    pub(crate) seller: UserId,
    pub(crate) category: CategoryId,
    pub(crate) title: &'a str,
    /// The state after what happened.
    pub(crate) status: ListingStatus,
}

/// Tells it. `more` is an object of further facts, or null.
pub(crate) async fn tell_in_txn(
    txn: &DatabaseTransaction,
    ambient: &Ambient,
    kind: &'static str,
    facts: Facts<'_>,
    more: Json,
) -> Result<(), StoreError> {
    append_event_in_txn(txn, ambient, event(kind, facts, more)).await.map(drop)
}

/// What is to be told. `more` is an object of further facts, or null.
pub(crate) fn event(kind: &'static str, facts: Facts<'_>, more: Json) -> NewEvent {
    let mut payload = json!({
        "listingId": facts.id,
        "sellerId": facts.seller,
        "categoryId": facts.category,
        "title": facts.title,
        "status": facts.status,
    });
    if let (Json::Object(payload), Json::Object(more)) = (&mut payload, more) {
        payload.extend(more);
    }
    NewEvent { subject: format!("listing:{}", facts.id), kind, payload }
}
