//! What a seller does with a listing besides writing it: hand it in, pause, resume, renew, sell, delete.

use chrono::TimeDelta;
use kernel::{Actor, InvalidInput, ListingId};
use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;

use super::prepare::unknown_category;
use super::rows::{self, LockedListing};
use super::rules::{Action, Who};
use super::{ListingSettings, ListingStatus, ListingView, word_index};
use crate::category::{Category, CategoryTree, Completeness};
use crate::events::{self, Facts};
use crate::{Catalog, CatalogError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Submit,
    Pause,
    Resume,
    Renew,
    MarkSold,
    Delete,
}

impl Catalog {
    /// Hands in a draft or a rejected listing of the actor's.
    ///
    /// # Errors
    /// When it is not the actor's, in another state, or lacks what its category requires by now.
    pub async fn submit_listing(
        &self,
        actor: &Actor,
        id: ListingId,
        settings: &ListingSettings,
    ) -> Result<ListingView, CatalogError> {
        self.act(actor, id, None, Deed::Submit, settings).await
    }

    /// Takes an ACTIVE listing of the actor's off for a while.
    ///
    /// # Errors
    /// When it is not the actor's, or in another state.
    pub async fn pause_listing(&self, actor: &Actor, id: ListingId) -> Result<ListingView, CatalogError> {
        self.act(actor, id, None, Deed::Pause, &ListingSettings::default()).await
    }

    /// Puts a paused listing of the actor's back.
    ///
    /// # Errors
    /// When it is not the actor's, in another state, or its time has run out.
    pub async fn resume_listing(&self, actor: &Actor, id: ListingId) -> Result<ListingView, CatalogError> {
        self.act(actor, id, None, Deed::Resume, &ListingSettings::default()).await
    }

    /// Lets a listing of the actor's run for another term: once it has expired, or from three days before.
    ///
    /// # Errors
    /// When it is not the actor's, in another state, or it is too early.
    pub async fn renew_listing(
        &self,
        actor: &Actor,
        id: ListingId,
        settings: &ListingSettings,
    ) -> Result<ListingView, CatalogError> {
        self.act(actor, id, None, Deed::Renew, settings).await
    }

    /// Says that a listing of the actor's is sold.
    ///
    /// # Errors
    /// When it is not the actor's, or in another state than ACTIVE, PAUSED or EXPIRED.
    pub async fn mark_listing_sold(&self, actor: &Actor, id: ListingId) -> Result<ListingView, CatalogError> {
        self.act(actor, id, None, Deed::MarkSold, &ListingSettings::default()).await
    }

    /// Deletes a listing of the actor's, from the given version if one is given. Its record is kept.
    ///
    /// # Errors
    /// When it is not the actor's, or the version is out of date.
    pub async fn delete_listing(
        &self,
        actor: &Actor,
        id: ListingId,
        version: Option<i64>,
    ) -> Result<(), CatalogError> {
        self.act(actor, id, version, Deed::Delete, &ListingSettings::default()).await.map(drop)
    }

    async fn act(
        &self,
        actor: &Actor,
        id: ListingId,
        version: Option<i64>,
        deed: Deed,
        settings: &ListingSettings,
    ) -> Result<ListingView, CatalogError> {
        let tree = self.category_tree().await?;
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                let was = self.lock_own_in_txn(txn, actor, id, version).await?;
                let category = tree.get(was.category);
                let standing = &was.standing;
                let action = match deed {
                    Deed::Submit => Action::Submit {
                        auto_approve: category.is_some_and(|category| category.input.auto_approve),
                    },
                    Deed::Pause => Action::Pause,
                    Deed::Resume => Action::Resume { overdue: standing.is_overdue(now) },
                    Deed::Renew => Action::Renew { due_soon: standing.is_due_soon(now) },
                    Deed::MarkSold => Action::MarkSold,
                    Deed::Delete => Action::Delete,
                };
                let mut then = *standing;
                then.act(action, Who::Owner, now, term(category, settings))?;
                if deed == Deed::Submit {
                    check_complete(&tree, &was)?;
                }
                rows::update_standing(txn, id, &then, now).await?;
                if deed == Deed::Delete {
                    word_index::remove(txn, id).await?;
                }
                let counted = rows::counted(standing, was.category);
                rows::recount(txn, counted, rows::counted(&then, was.category)).await?;
                self.tell_deed_in_txn(txn, deed, &was, then.status).await?;
                self.own_view_in_txn(txn, id).await
            })
            .await
    }

    async fn tell_deed_in_txn(
        &self,
        txn: &DatabaseTransaction,
        deed: Deed,
        was: &LockedListing,
        status: ListingStatus,
    ) -> Result<(), CatalogError> {
        let facts = was.facts(status);
        let kind = match deed {
            Deed::Submit => return self.tell_submitted_in_txn(txn, facts).await,
            Deed::Pause => events::PAUSED,
            Deed::Resume => events::RESUMED,
            Deed::Renew => events::RENEWED,
            Deed::MarkSold => events::SOLD,
            Deed::Delete => events::DELETED,
        };
        events::tell_in_txn(txn, &self.ambient, kind, facts, Json::Null).await?;
        Ok(())
    }
}

impl LockedListing {
    /// What events tell of it, in the state it is in by now.
    pub(super) fn facts(&self, status: ListingStatus) -> Facts<'_> {
        Facts { id: self.id, seller: self.seller, category: self.category, title: &self.title, status }
    }
}

/// How long a listing of the category runs.
pub(super) fn term(category: Option<&Category>, settings: &ListingSettings) -> TimeDelta {
    let of_category = category.and_then(|category| category.input.expiry_days);
    let days = of_category.map_or(settings.expiry_days, |days| u32::from(days.days()));
    TimeDelta::days(i64::from(days))
}

/// Whether a draft has all that its category requires by now.
fn check_complete(tree: &CategoryTree, listing: &LockedListing) -> Result<(), InvalidInput> {
    let category = tree
        .get(listing.category)
        .filter(|category| tree.is_visible(category.id))
        .ok_or_else(unknown_category)?;
    let given = serde_json::from_str(&listing.attributes).unwrap_or_default();
    category.input.attributes.read(&given, Completeness::Complete).map(drop)
}
