//! A moderator decides on a listing: the decision is recorded and carried out, or neither.

use catalog::CatalogError;
use kernel::{Actor, Caller, ListingId};
use moderation::{NewDecision, ReviewView, Verdict};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Decides on a PENDING listing. With `expected` only while the listing is at that version: the one that the
    /// moderator has seen.
    ///
    /// The listing's row is locked first, so a second moderator waits, and so does a seller who edits: the listing
    /// that becomes visible is the one that was decided on. What is left of the boosts of one that is rejected is given
    /// back.
    ///
    /// # Errors
    /// When the listing is not there, not PENDING any more or at another version, or is the caller's own; when it is
    /// to be approved and its seller is blocked.
    pub async fn review_listing(
        &self,
        caller: &Caller,
        listing: ListingId,
        expected: Option<i64>,
        verdict: &Verdict,
    ) -> Result<ReviewView, FlowError> {
        let settings = self.listing_settings().await;
        let decision = match verdict.reason() {
            None => catalog::Decision::Approve,
            Some(reason) => catalog::Decision::Reject {
                reason: reason.as_str().to_owned(),
                note: verdict.note().map(str::to_owned),
            },
        };
        let review = self
            .db
            .in_txn(async |txn| {
                let pending = self.catalog.lock_for_review_in_txn(txn, listing).await?;
                if decision == catalog::Decision::Approve {
                    self.identity.hold_seller_in_txn(txn, pending.seller()).await?;
                }
                if expected.is_some_and(|version| version != pending.version()) {
                    return Err(CatalogError::VersionMismatch.into());
                }
                let new =
                    NewDecision { listing, listing_version: pending.version(), verdict: verdict.clone() };
                let review = self.moderation.record_decision_in_txn(txn, caller, new).await?;
                self.catalog.decide_in_txn(txn, caller, pending, &decision, &settings).await?;
                if decision != catalog::Decision::Approve {
                    self.cut_boosts_in_txn(txn, caller, listing).await?;
                }
                Ok::<_, FlowError>(review)
            })
            .await?;
        self.catalog.forget_prominence();
        Ok(review)
    }

    /// What was decided on a listing, latest first, for whoever may see the listing.
    ///
    /// # Errors
    /// When there is no such listing for the viewer.
    pub async fn listing_reviews(
        &self,
        viewer: &Actor,
        listing: ListingId,
    ) -> Result<Vec<ReviewView>, FlowError> {
        self.catalog.get_listing(Some(viewer), listing).await?;
        Ok(self.moderation.reviews_of(listing).await?)
    }
}
