//! A moderator's decision on a listing, as part of the flow that records it.

use kernel::{Caller, CategoryId, ListingId, Permission, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::audit;

use super::rows::{self, LockedListing};
use super::rules::{self, Action, Who};
use super::{ListingSettings, ListingStatus, ReviewFacts};
use crate::category;
use crate::events;
use crate::{Catalog, CatalogError};

/// A PENDING listing whose row this transaction has locked: nobody else decides on it meanwhile.
#[derive(Debug)]
pub struct PendingListing(LockedListing);

impl PendingListing {
    /// Its id.
    pub fn id(&self) -> ListingId {
        self.0.id
    }

    /// Who sells it.
    pub fn seller(&self) -> UserId {
        self.0.seller
    }

    /// The category it stands in.
    pub fn category(&self) -> CategoryId {
        self.0.category
    }

    /// What it is.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// Which version of it is decided on.
    pub fn version(&self) -> i64 {
        self.0.version
    }
}

/// What a moderator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may be seen.
    Approve,
    /// It may not.
    Reject {
        /// Why, as a code of at most 64 characters.
        reason: String,
        /// What the moderator writes to the seller.
        note: Option<String>,
    },
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The listing.
    pub listing: ListingId,
    /// Whose it is.
    pub seller: UserId,
    /// What it is.
    pub title: String,
    /// Its state from now on: ACTIVE or REJECTED.
    pub status: ListingStatus,
}

impl Catalog {
    /// Locks a listing for a decision. A second moderator waits here until the first has decided, and is then told
    /// that it is not PENDING any more.
    ///
    /// # Errors
    /// When there is no such listing, or it is not PENDING.
    pub async fn lock_for_review_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: ListingId,
    ) -> Result<PendingListing, CatalogError> {
        let listing = rows::lock(txn, id)
            .await?
            .filter(|listing| listing.standing.status != ListingStatus::Deleted)
            .ok_or(CatalogError::ListingNotFound)?;
        rules::next(listing.standing.status, Action::Approve, Who::Reviewer)?;
        Ok(PendingListing(listing))
    }

    /// Writes a decision, its event (`listing.approved`, `listing.rejected`) and its audit record.
    ///
    /// # Errors
    /// When the caller may not review, or is the seller.
    pub async fn decide_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        listing: PendingListing,
        decision: &Decision,
        settings: &ListingSettings,
    ) -> Result<Reviewed, CatalogError> {
        self.require(caller, Permission::ListingsReview)?;
        let PendingListing(was) = listing;
        if caller.actor.is(was.seller) {
            return Err(CatalogError::OwnReview);
        }
        let (action, kind, reason, note) = match decision {
            Decision::Approve => (Action::Approve, events::APPROVED, None, None),
            Decision::Reject { reason, note } => {
                (Action::Reject, events::REJECTED, Some(reason.clone()), note.clone())
            }
        };
        let now = self.ambient.now();
        let term = self.term_in_txn(txn, was.category, settings).await?;
        let mut standing = was.standing;
        standing.act(action, Who::Reviewer, now, term)?;
        let review = ReviewFacts { at: now, reason, note };
        rows::update_review(txn, was.id, &standing, &review).await?;
        rows::recount(txn, None, rows::counted(&standing, was.category)).await?;
        let more = json!({"reason": review.reason});
        events::tell_in_txn(txn, &self.ambient, kind, was.facts(standing.status), more).await?;
        let entry = audit::Entry {
            caller,
            action: kind,
            subject_kind: "listing",
            subject_id: was.id.to_string(),
            before: json!({"status": was.standing.status, "version": was.version}),
            after: json!({"status": standing.status}),
            reason: review.reason,
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(Reviewed { listing: was.id, seller: was.seller, title: was.title, status: standing.status })
    }

    /// How long a listing of the category runs, read within the transaction.
    pub(super) async fn term_in_txn(
        &self,
        txn: &DatabaseTransaction,
        category: CategoryId,
        settings: &ListingSettings,
    ) -> Result<chrono::TimeDelta, CatalogError> {
        let days = category::rows::expiry_days(txn, category).await?;
        Ok(chrono::TimeDelta::days(i64::from(days.unwrap_or(settings.expiry_days))))
    }
}
