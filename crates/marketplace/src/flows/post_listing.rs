//! A seller posts a listing, once however often the request is repeated under its key.

use catalog::{ListingInput, ListingView};
use kernel::Actor;
use store::{Claim, IdempotencyKey, StoredAnswer, answered_key, claim_key_in_txn, keep_answer_in_txn};

use crate::{FlowError, Marketplace};

/// What came of posting.
#[derive(Debug, Clone)]
pub enum Posted {
    /// The listing was made.
    Made(Box<ListingView>),
    /// It was made before under the same key; this is the answer that was given then.
    Before(StoredAnswer),
}

impl Marketplace {
    /// Makes a listing of the actor's. Under a key, the listing and the answer are kept in one transaction, so a
    /// client that did not see the answer may ask again without making a second listing, even when the listing would
    /// be refused by now. `answer` writes the answer.
    ///
    /// # Errors
    /// As the catalogue's; [`FlowError::KeyReused`] when the key was used for another request, and
    /// [`FlowError::KeyInProgress`] when the first request under it has not been answered.
    pub async fn post_listing(
        &self,
        actor: &Actor,
        input: &ListingInput,
        submit: bool,
        key: Option<&IdempotencyKey>,
        answer: fn(&ListingView) -> StoredAnswer,
    ) -> Result<Posted, FlowError> {
        let settings = self.listing_settings().await;
        let new = match (self.catalog.new_listing(actor, input, submit, &settings).await, key) {
            (Ok(new), _) => new,
            (Err(refusal), None) => return Err(refusal.into()),
            // The category may have closed, say, since the listing was made.
            (Err(refusal), Some(key)) => {
                let claim = answered_key(self.db.reader()?, key, self.ambient.now()).await?;
                return posted_before(claim)?.ok_or_else(|| refusal.into());
            }
        };
        self.db
            .in_txn(async |txn| {
                if let Some(key) = key {
                    let claim = claim_key_in_txn(txn, key, self.ambient.now()).await?;
                    if let Some(before) = posted_before(claim)? {
                        return Ok(before);
                    }
                }
                let listing = self.catalog.create_listing_in_txn(txn, &new).await?;
                if let Some(key) = key {
                    keep_answer_in_txn(txn, key, &answer(&listing)).await?;
                }
                Ok(Posted::Made(Box::new(listing)))
            })
            .await
    }
}

/// What the request under the key came to before, if it was made.
fn posted_before(claim: Claim) -> Result<Option<Posted>, FlowError> {
    match claim {
        Claim::Fresh => Ok(None),
        Claim::Answered(before) => Ok(Some(Posted::Before(before))),
        Claim::OtherRequest => Err(FlowError::KeyReused),
        Claim::InProgress => Err(FlowError::KeyInProgress),
    }
}
