//! Recording a decision, in the transaction that carries it out.

use kernel::Caller;
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::audit;

use super::{NewDecision, ReviewView, rows};
use crate::{Moderation, ModerationError};

impl Moderation {
    /// Records the decision and who made it.
    ///
    /// # Errors
    /// [`ModerationError::AlreadyDecided`] when there is a decision on this version of the listing.
    pub async fn record_decision_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        new: NewDecision,
    ) -> Result<ReviewView, ModerationError> {
        let NewDecision { listing, listing_version, verdict } = new;
        let review = ReviewView {
            id: self.ambient.new_id(),
            listing_id: listing,
            listing_version,
            moderator_id: caller.actor.user(),
            decision: verdict.decision(),
            reason_code: verdict.reason(),
            reason: verdict.reason().map(Into::into),
            note: verdict.note().map(str::to_owned),
            decided_at: self.ambient.now(),
        };
        if !rows::insert(txn, &review).await? {
            return Err(ModerationError::AlreadyDecided);
        }
        let record = audit::Entry {
            caller,
            action: "review.recorded",
            subject_kind: "review",
            subject_id: review.id.to_string(),
            before: Json::Null,
            // The note stays out: it is free text, and may name somebody.
            after: json!({
                "listingId": listing,
                "listingVersion": listing_version,
                "decision": review.decision,
                "reasonCode": review.reason_code,
            }),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(review)
    }
}
