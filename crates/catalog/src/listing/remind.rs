//! Telling sellers that a listing's time is about to run out, once for each end.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{ListingId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::expire::wants_renewal;
use super::{ListingStatus, rows};
use crate::events;
use crate::{Catalog, CatalogError};

/// How long before its end a listing's seller is reminded.
const AHEAD: TimeDelta = TimeDelta::days(3);

impl Catalog {
    /// Tells of each ACTIVE listing that ends within three days of `now`, once for each end, in transactions of `batch`
    /// listings each; gives how many were told of. Listings that renew themselves are passed over. Several processes may
    /// run it at the same time.
    ///
    /// # Errors
    /// When the database fails; the batches before that are done.
    pub async fn remind_of_ends(&self, now: DateTime<Utc>, batch: u32) -> Result<u32, CatalogError> {
        let batch = batch.max(1);
        let mut told = 0;
        loop {
            let (seen, new) =
                self.db.in_txn(async |txn| self.remind_batch_in_txn(txn, now, batch).await).await?;
            told += new;
            if seen < batch {
                return Ok(told);
            }
        }
    }

    /// How many listings were looked at, and of how many it was told.
    async fn remind_batch_in_txn(
        &self,
        txn: &DatabaseTransaction,
        now: DateTime<Utc>,
        batch: u32,
    ) -> Result<(u32, u32), CatalogError> {
        let (mut seen, mut told) = (0, 0);
        for id in ending(txn, now, batch).await? {
            seen += 1;
            let Some(was) = rows::lock(txn, id).await? else { continue };
            // It may have been sold or renewed by whoever had the row first.
            let Some(ends) = was.standing.expires_at.filter(|_| was.standing.status == ListingStatus::Active)
            else {
                continue;
            };
            let note = Engine::of(txn.get_database_backend()).statement(
                "INSERT INTO listing_reminders (listing_id, expires_at, reminded_at) VALUES (?, ?, ?)",
                [id.uuid().into(), ends.into(), now.into()],
            );
            if insert_if_absent(txn, note).await? && !wants_renewal(&was) {
                let facts = was.facts(was.standing.status);
                events::tell_in_txn(txn, &self.ambient, events::EXPIRING, facts, json!({ "until": ends }))
                    .await?;
                told += 1;
            }
        }
        Ok((seen, told))
    }
}

/// Listings whose end is near and was not told of, locked, without those that somebody else is working on.
async fn ending(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    batch: u32,
) -> Result<Vec<ListingId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT l.id FROM listings l WHERE l.status = 'ACTIVE' AND l.expires_at > ? AND l.expires_at <= ? \
         AND NOT EXISTS (SELECT 1 FROM listing_reminders r WHERE r.listing_id = l.id AND r.expires_at = l.expires_at) \
         ORDER BY l.expires_at, l.id LIMIT {batch}{}",
        engine.for_update_skip_locked()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [now.into(), (now + AHEAD).into()])).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}
