//! A new listing.

use kernel::{Actor, ListingId, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;

use super::prepare::{Prepared, category_gone, prepare};
use super::rules::{Action, Standing, Who};
use super::{ListingInput, ListingSettings, ListingStatus, ListingView, detail, rows, word_index};
use crate::category::Completeness;
use crate::events::{self, Facts};
use crate::photo::attach_in_txn;
use crate::{Catalog, CatalogError};

/// A listing that was checked and may be written.
pub struct NewListing<'a> {
    input: &'a ListingInput,
    seller: UserId,
    submit: bool,
    prepared: Prepared,
    standing: Standing,
}

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
        let new = self.new_listing(actor, input, submit, settings).await?;
        self.db.in_txn(async |txn| self.create_listing_in_txn(txn, &new).await).await
    }

    /// Checks what is to become a listing, outside the transaction that writes it.
    ///
    /// # Errors
    /// When the category is unknown or closed, attributes are wrong, or the actor is no person.
    pub async fn new_listing<'a>(
        &self,
        actor: &Actor,
        input: &'a ListingInput,
        submit: bool,
        settings: &ListingSettings,
    ) -> Result<NewListing<'a>, CatalogError> {
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
        Ok(NewListing { input, seller, submit, prepared, standing })
    }

    /// Writes a checked listing, and gives it as its seller sees it.
    ///
    /// # Errors
    /// When its category is gone meanwhile, or its photos are not the seller's or stand elsewhere.
    pub async fn create_listing_in_txn(
        &self,
        txn: &DatabaseTransaction,
        new: &NewListing<'_>,
    ) -> Result<ListingView, CatalogError> {
        let NewListing { input, seller, submit, prepared, standing } = new;
        let (id, now): (ListingId, _) = (self.ambient.new_id(), self.ambient.now());
        let photos = attach_in_txn(txn, now, *seller, id, &input.photos).await?;
        let content = rows::content(input, &prepared.attributes_json, &photos);
        rows::insert(txn, id, *seller, content, standing, now).await.map_err(category_gone)?;
        rows::replace_attributes(txn, id, &prepared.attributes).await?;
        word_index::put(txn, id, &prepared.document).await?;
        rows::recount(txn, None, rows::counted(standing, input.category)).await?;
        let (category, title) = (input.category, input.title.as_str());
        let told = Facts { id, seller: *seller, category, title, status: standing.status };
        events::tell_in_txn(txn, &self.ambient, events::CREATED, told, Json::Null).await?;
        if *submit {
            self.tell_submitted_in_txn(txn, told).await?;
        }
        self.own_view_in_txn(txn, id).await
    }

    /// Tells that a listing was handed in, and, where its category needs no review, that it is out.
    pub(super) async fn tell_submitted_in_txn(
        &self,
        txn: &DatabaseTransaction,
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
        txn: &DatabaseTransaction,
        id: ListingId,
    ) -> Result<ListingView, CatalogError> {
        let view = detail::find(txn, id, &self.config.media, self.ambient.now()).await?;
        view.ok_or(CatalogError::ListingNotFound)
    }
}
