//! A seller posts a listing, once however often the request is repeated under its key.

use catalog::{ListingInput, ListingView};
use kernel::Actor;
use store::{IdempotencyKey, StoredAnswer};

use super::once::{Effect, Once};
use crate::{FlowError, Marketplace};

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
    ) -> Result<Once<Box<ListingView>>, FlowError> {
        let settings = self.listing_settings().await;
        let new = match (self.catalog.new_listing(actor, input, submit, &settings).await, key) {
            (Ok(new), _) => new,
            (Err(refusal), None) => return Err(refusal.into()),
            // The category may have closed, say, since the listing was made.
            (Err(refusal), Some(key)) => {
                return self.answer_before(key).await?.map(Once::Before).ok_or_else(|| refusal.into());
            }
        };
        let post = async |txn: &sea_orm::DatabaseTransaction| {
            if let Some(seller) = actor.user() {
                self.identity.hold_seller_in_txn(txn, seller).await?;
            }
            Ok(Effect::Done(Box::new(self.catalog.create_listing_in_txn(txn, &new).await?)))
        };
        self.once(key, post, |listing| answer(listing)).await
    }
}
