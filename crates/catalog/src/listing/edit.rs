//! A seller's changes of a listing.

use kernel::{Actor, ListingId};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use super::prepare::{Prepared, category_gone, prepare};
use super::rows::{self, LockedListing};
use super::rules::{Action, Standing, Who};
use super::{ListingInput, ListingSettings, ListingStatus, ListingView, word_index};
use crate::category::Completeness;
use crate::events::{self, Facts};
use crate::photo::{AttachedPhoto, attach_in_txn};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Changes a listing of the actor's: all that a seller writes of it, at once, from the given version if one is
    /// given. A change of what was reviewed (title, description, category, attributes, photos) sends it to review
    /// again, unless its category needs none; a change of price, place or condition does not.
    ///
    /// # Errors
    /// When it is not the actor's, the version is out of date, it is SOLD, or the input is wrong.
    pub async fn edit_listing(
        &self,
        actor: &Actor,
        id: ListingId,
        version: Option<i64>,
        input: &ListingInput,
        settings: &ListingSettings,
    ) -> Result<ListingView, CatalogError> {
        let tree = self.category_tree().await?;
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                let was = self.lock_own_in_txn(txn, actor, id, version).await?;
                let completeness = match was.standing.status {
                    ListingStatus::Draft => Completeness::Draft,
                    _ => Completeness::Complete,
                };
                let stays = was.category == input.category;
                let prepared = prepare(&tree, input, completeness, settings, stays)?;
                let photos = self.photos_in_txn(txn, &was, input).await?;
                let category = tree.get(input.category);
                let action = Action::Edit {
                    material: is_material(&was, input, &prepared, &photos),
                    auto_approve: category.is_some_and(|category| category.input.auto_approve),
                };
                let mut standing = was.standing;
                standing.act(action, Who::Owner, now, super::lifecycle::term(category, settings))?;
                let content = rows::content(input, &prepared.attributes_json, &photos);
                rows::update(txn, id, content, &standing, now).await.map_err(category_gone)?;
                if was.attributes != prepared.attributes_json {
                    rows::replace_attributes(txn, id, &prepared.attributes).await?;
                }
                word_index::put(txn, id, &prepared.document).await?;
                let counted = rows::counted(&was.standing, was.category);
                rows::recount(txn, counted, rows::counted(&standing, input.category)).await?;
                self.tell_edited_in_txn(txn, &was, input, &standing).await?;
                self.own_view_in_txn(txn, id).await
            })
            .await
    }

    /// Locks a listing for its seller. To anybody else, and once it is deleted, there is none.
    pub(super) async fn lock_own_in_txn(
        &self,
        txn: &DatabaseTransaction,
        actor: &Actor,
        id: ListingId,
        version: Option<i64>,
    ) -> Result<LockedListing, CatalogError> {
        let listing = rows::lock(txn, id)
            .await?
            .filter(|listing| actor.is(listing.seller))
            .filter(|listing| listing.standing.status != ListingStatus::Deleted)
            .ok_or(CatalogError::ListingNotFound)?;
        match version {
            Some(version) if version != listing.version => Err(CatalogError::VersionMismatch),
            _ => Ok(listing),
        }
    }

    /// The photos after the change; they are touched only when they differ.
    async fn photos_in_txn(
        &self,
        txn: &DatabaseTransaction,
        was: &LockedListing,
        input: &ListingInput,
    ) -> Result<Vec<AttachedPhoto>, CatalogError> {
        if was.photos.iter().map(|photo| photo.id).eq(input.photos.iter().copied()) {
            return Ok(was.photos.clone());
        }
        Ok(attach_in_txn(txn, self.ambient.now(), was.seller, was.id, &input.photos).await?)
    }

    async fn tell_edited_in_txn(
        &self,
        txn: &DatabaseTransaction,
        was: &LockedListing,
        input: &ListingInput,
        standing: &Standing,
    ) -> Result<(), CatalogError> {
        let facts = Facts {
            id: was.id,
            seller: was.seller,
            category: input.category,
            title: input.title.as_str(),
            status: standing.status,
        };
        let more = json!({"previousStatus": was.standing.status});
        events::tell_in_txn(txn, &self.ambient, events::UPDATED, facts, more).await?;
        let is_handed_in =
            standing.status == ListingStatus::Pending && was.standing.status != standing.status;
        if is_handed_in {
            self.tell_submitted_in_txn(txn, facts).await?;
        }
        Ok(())
    }
}

/// Whether anything changes that was reviewed.
fn is_material(
    was: &LockedListing,
    input: &ListingInput,
    prepared: &Prepared,
    photos: &[AttachedPhoto],
) -> bool {
    was.title != input.title.as_str()
        || was.description != input.description.as_str()
        || was.category != input.category
        || was.attributes != prepared.attributes_json
        || was.photos != photos
}
