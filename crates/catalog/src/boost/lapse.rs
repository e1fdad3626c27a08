//! The end of a boost's time, marked by the hourly job. Lists do not wait for it: they compare with the clock.

use chrono::{DateTime, Utc};
use kernel::ListingId;
use sea_orm::DatabaseTransaction;

use super::in_force;
use super::rows::{self, LockedListing};
use crate::{Catalog, CatalogError};

impl Catalog {
    /// Marks all boosts whose time is over by `now`, each told as `listing.boost_ended`, in transactions of `batch`
    /// boosts each; gives how many. Several processes may run it at the same time: each boost is marked by one.
    ///
    /// # Errors
    /// When the database fails; the batches before that are done.
    pub async fn lapse_boosts(&self, now: DateTime<Utc>, batch: u32) -> Result<u32, CatalogError> {
        let batch = batch.max(1);
        let mut all = 0;
        loop {
            let (found, ended) =
                self.db.in_txn(async |txn| self.lapse_batch_in_txn(txn, now, batch).await).await?;
            all += ended;
            if found < batch {
                return Ok(all);
            }
        }
    }

    /// How many were due, and how many of them this transaction marked.
    async fn lapse_batch_in_txn(
        &self,
        txn: &DatabaseTransaction,
        now: DateTime<Utc>,
        batch: u32,
    ) -> Result<(u32, u32), CatalogError> {
        let due = rows::due(txn, now, batch).await?;
        let found = u32::try_from(due.len()).unwrap_or(batch);
        let mut ended = 0;
        let mut locked: Option<LockedListing> = None;
        for (listing, boost, kind) in due {
            if locked.as_ref().map(|locked| locked.id) != Some(listing) {
                locked = self.lock_lapsed_in_txn(txn, listing, now).await?;
            }
            if let Some(listing) = &locked
                && rows::end(txn, boost).await?
            {
                self.tell_ended_in_txn(txn, listing, boost, kind).await?;
                ended += 1;
            }
        }
        Ok((found, ended))
    }

    /// Locks the listing, and takes away what was in force for it, if all of that is over.
    async fn lock_lapsed_in_txn(
        &self,
        txn: &DatabaseTransaction,
        listing: ListingId,
        now: DateTime<Utc>,
    ) -> Result<Option<LockedListing>, CatalogError> {
        let listing = rows::lock_listing(txn, listing).await?;
        if let Some(listing) = &listing {
            in_force::clear(txn, listing.id, Some(now)).await?;
        }
        Ok(listing)
    }
}
