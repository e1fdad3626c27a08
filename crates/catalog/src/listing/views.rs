//! Looks at listings: counted in memory, written down now and then.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::{ListingId, TypedId};
use sea_orm::ConnectionTrait;
use store::StoreError;

use crate::{Catalog, CatalogError};

/// The most listings counted between two flushes; looks at more are lost, which bounds the memory.
const MAX_COUNTED: usize = 100_000;
/// How many listings one transaction writes.
const BATCH: usize = 500;

/// Looks that are not written down yet.
#[derive(Debug, Default)]
pub(crate) struct ViewCounter(Mutex<BTreeMap<ListingId, i64>>);

impl ViewCounter {
    /// Counts a look.
    pub(crate) fn record(&self, id: ListingId) {
        self.add([(id, 1)]);
    }

    fn add(&self, looks: impl IntoIterator<Item = (ListingId, i64)>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, n) in looks {
            if counts.len() < MAX_COUNTED || counts.contains_key(&id) {
                *counts.entry(id).or_default() += n;
            }
        }
    }

    fn take(&self) -> Vec<(ListingId, i64)> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *counts).into_iter().collect()
    }
}

impl Catalog {
    /// Writes down the looks counted by this process since the last time; gives how many. Call it every few
    /// seconds and at the end: what is counted is lost with the process.
    ///
    /// # Errors
    /// When the database fails; what could not be written is counted again next time.
    pub async fn flush_views(&self) -> Result<i64, CatalogError> {
        // In the order of ids, so that two processes cannot wait for each other.
        let taken = self.views.take();
        let mut written = 0;
        let mut batches = taken.chunks(BATCH);
        while let Some(batch) = batches.next() {
            if let Err(error) = self.write_views(batch).await {
                self.views.add(batch.iter().copied());
                self.views.add(batches.flatten().copied());
                return Err(error.into());
            }
            written += batch.iter().map(|(_, n)| n).sum::<i64>();
        }
        Ok(written)
    }

    async fn write_views(&self, batch: &[(ListingId, i64)]) -> Result<(), StoreError> {
        self.db
            .in_txn(async |txn| {
                for (id, n) in batch {
                    let update = "UPDATE listing_stats SET views = views + ? WHERE listing_id = ?";
                    let values = [(*n).into(), id.uuid().into()];
                    txn.execute_raw(self.db.engine().statement(update, values)).await?;
                }
                Ok(())
            })
            .await
    }
}
