//! A new listing.

use kernel::{Actor, ListingId};
use serde_json::Value as Json;

use super::prepare::{category_gone, prepare};
use super::rules::{Action, Standing, Who};
use super::{ListingInput, ListingSettings, ListingStatus, ListingView, rows, word_index};
use crate::category::Completeness;
use crate::events::{self, Facts};
use crate::photo::attach_in_txn;
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Makes a listing of the actor's, as a draft or handed in at once. What is handed in waits for a review, unless
    /// its category needs none. A draft may lack attributes that its category requires.
    ///
    /// # Errors
    /// When the category is unknown or closed, attributes or photos are wrong, or the actor is no person.
    pub async fn create_listing(
        &self,
        actor: &Actor,
        input: &ListingInput,
        submit: bool,
        settings: &ListingSettings,
    ) -> Result<ListingView, CatalogError> {
        let seller = actor.user().ok_or(CatalogError::Forbidden)?;
        let tree = self.category_tree().await?;
        let completeness = if submit { Completeness::Complete } else { Completeness::Draft };
        let prepared = prepare(&tree, input, completeness, settings, false)?;
        let now = self.ambient.now();
        let mut standing = Standing::draft(now);
        if submit {
            let auto_approve = tree.get(input.category).is_some_and(|c| c.input.auto_approve);
            let term = super::lifecycle::term(tree.get(input.category), settings);
            standing.act(Action::Submit { auto_approve }, Who::Owner, now, term)?;
        }
        let id: ListingId = self.ambient.new_id();
        let facts =
            |status| Facts { id, seller, category: input.category, title: input.title.as_str(), status };
        self.db
            .in_txn(async |txn| {
                let photos = attach_in_txn(txn, now, seller, id, &input.photos).await?;
                let content = rows::content(input, &prepared.attributes_json, &photos);
                rows::insert(txn, id, seller, content, &standing, now).await.map_err(category_gone)?;
                rows::replace_attributes(txn, id, &prepared.attributes).await?;
                word_index::put(txn, id, &prepared.document).await?;
                rows::recount(txn, None, rows::counted(&standing, input.category)).await?;
                let told = facts(standing.status);
                events::tell_in_txn(txn, &self.ambient, events::CREATED, told, Json::Null).await?;
                if submit {
                    self.tell_submitted_in_txn(txn, told).await?;
                }
                self.own_view_in_txn(txn, id).await
            })
            .await
    }

    /// Tells that a listing was handed in, and, where its category needs no review, that it is out.
    pub(super) async fn tell_submitted_in_txn(
        &self,
        txn: &sea_orm::DatabaseTransaction,
        facts: Facts<'_>,
    ) -> Result<(), CatalogError> {
        events::tell_in_txn(txn, &self.ambient, events::SUBMITTED, facts, Json::Null).await?;
        if facts.status == ListingStatus::Active {
            let automatic = serde_json::json!({"automatic": true});
            events::tell_in_txn(txn, &self.ambient, events::APPROVED, facts, automatic).await?;
        }
        Ok(())
    }

    /// The listing as its seller sees it, read in the transaction that changed it.
    pub(super) async fn own_view_in_txn(
        &self,
        txn: &sea_orm::DatabaseTransaction,
        id: ListingId,
    ) -> Result<ListingView, CatalogError> {
        rows::detail(txn, id, &self.config.media).await?.ok_or(CatalogError::ListingNotFound)
    }
}
