//! The end of a listing's time, found by the hourly job.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{CategoryId, ListingId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::Value as Json;
use store::{Engine, StoreError};
use uuid::Uuid;

use super::rows::{self, LockedListing};
use super::rules::{Action, MAX_AUTO_RENEWALS, Who};
use super::{ListingSettings, ListingStatus};
use crate::category;
use crate::events;
use crate::{Catalog, CatalogError};

/// What became of the listings whose time ran out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// So many are EXPIRED now.
    pub expired: u32,
    /// So many were renewed, as their sellers wished.
    pub renewed: u32,
}

impl Catalog {
    /// Ends all listings whose time has run out by `now`, or renews them where their sellers asked for it, in
    /// transactions of `batch` listings each. Several processes may run it at the same time: each listing is
    /// handled by one. A listing sold, renewed or edited meanwhile is left as it is.
    ///
    /// # Errors
    /// When the database fails; the batches before that are done.
    pub async fn expire_due(
        &self,
        now: DateTime<Utc>,
        batch: u32,
        settings: &ListingSettings,
    ) -> Result<Expired, CatalogError> {
        let mut all = Expired::default();
        loop {
            let done = self
                .db
                .in_txn(async |txn| self.expire_batch_in_txn(txn, now, batch.max(1), settings).await)
                .await?;
            all.expired += done.expired;
            all.renewed += done.renewed;
            if done.expired + done.renewed < batch.max(1) {
                return Ok(all);
            }
        }
    }

    async fn expire_batch_in_txn(
        &self,
        txn: &DatabaseTransaction,
        now: DateTime<Utc>,
        batch: u32,
        settings: &ListingSettings,
    ) -> Result<Expired, CatalogError> {
        let mut done = Expired::default();
        let mut uncounted: BTreeMap<CategoryId, i64> = BTreeMap::new();
        for id in due(txn, now, batch).await? {
            let Some(was) = rows::lock(txn, id).await? else { continue };
            let mut standing = was.standing;
            if !standing.is_overdue(now) {
                continue;
            }
            let action = if wants_renewal(&was) { Action::Renew { due_soon: true } } else { Action::Expire };
            let term = self.term_in_txn(txn, was.category, settings).await?;
            // Whoever got the row first may have sold it, say: then there is nothing to end.
            if standing.act(action, Who::System, now, term).is_err() {
                continue;
            }
            rows::update_standing(txn, id, &standing, now).await?;
            let kind = if action == Action::Expire {
                done.expired += 1;
                events::EXPIRED
            } else {
                done.renewed += 1;
                events::RENEWED
            };
            if was.standing.status == ListingStatus::Active && standing.status != ListingStatus::Active {
                *uncounted.entry(was.category).or_default() -= 1;
            }
            events::tell_in_txn(txn, &self.ambient, kind, was.facts(standing.status), Json::Null).await?;
        }
        // After all listings and in the order of ids, as everybody locks them.
        for (category, change) in uncounted {
            category::rows::add_to_count(txn, category, change).await?;
        }
        Ok(done)
    }
}

/// Whether it goes on by itself when its time is over.
pub(super) fn wants_renewal(listing: &LockedListing) -> bool {
    listing.auto_renew
        && listing.standing.status == ListingStatus::Active
        && listing.standing.renew_count < MAX_AUTO_RENEWALS
}

/// Listings whose time has run out, locked, without those that somebody else is working on.
async fn due(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    batch: u32,
) -> Result<Vec<ListingId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id FROM listings WHERE status IN ('ACTIVE', 'PAUSED') AND expires_at <= ? \
         ORDER BY expires_at, id LIMIT {batch}{}",
        engine.for_update_skip_locked()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [now.into()])).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}
