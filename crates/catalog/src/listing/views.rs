//! Looks at listings: counted in memory, written down now and then.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use kernel::{Actor, ListingId, Permission, TypedId, UserId};
use sea_orm::ConnectionTrait;
use store::StoreError;

use super::ListingView;
use crate::{Catalog, CatalogError};

/// The most listings counted between two flushes; looks at more are lost, which bounds the memory.
const MAX_COUNTED: usize = 100_000;
/// The most looks remembered, so that a second one within the hour does not count. When they are more, all are
/// forgotten: then some looks count twice, but none is lost.
const MAX_REMEMBERED: usize = 100_000;
/// For how many seconds a look is remembered at most.
const HOUR: i64 = 3_600;
/// How many listings one transaction writes.
const BATCH: usize = 500;

/// Who looks.
#[derive(Debug, Clone, Copy, Hash)]
enum Looker<'a> {
    Person(UserId),
    /// Somebody who is not logged in, by their address.
    Address(&'a str),
}

/// Looks that are not written down yet, and who has looked within the hour.
#[derive(Debug, Default)]
pub(crate) struct ViewCounter {
    counts: Mutex<BTreeMap<ListingId, i64>>,
    seen: Mutex<Seen>,
    /// Its key is this process's own: what is remembered tells nobody's address.
    hasher: RandomState,
}

/// Who looked at what within an hour of the clock, as keyed hashes.
#[derive(Debug, Default)]
struct Seen {
    hour: i64,
    looks: HashSet<u64>,
}

impl ViewCounter {
    /// Counts a look, unless the same one looked at the same listing within the hour.
    fn record(&self, id: ListingId, looker: Looker<'_>, now: DateTime<Utc>) {
        if self.is_first(self.hasher.hash_one((id, looker)), now) {
            self.add([(id, 1)]);
        }
    }

    fn is_first(&self, look: u64, now: DateTime<Utc>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.timestamp().div_euclid(HOUR);
        if seen.hour != hour || seen.looks.len() >= MAX_REMEMBERED {
            *seen = Seen { hour, looks: HashSet::new() };
        }
        seen.looks.insert(look)
    }

    fn add(&self, looks: impl IntoIterator<Item = (ListingId, i64)>) {
        let mut counts = self.counts();
        for (id, n) in looks {
            if counts.len() < MAX_COUNTED || counts.contains_key(&id) {
                *counts.entry(id).or_default() += n;
            }
        }
    }

    fn take(&self) -> Vec<(ListingId, i64)> {
        std::mem::take(&mut *self.counts()).into_iter().collect()
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<ListingId, i64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog {
    /// Counts a look at a listing that was shown: once within an hour of the clock for each person, or for each
    /// `address` of people who are not logged in. Looks of its seller and of staff do not count.
    pub fn record_view(&self, viewer: Option<&Actor>, address: &str, listing: &ListingView) {
        if viewer.is_some_and(|actor| actor.is(listing.seller_id) || actor.may(Permission::ListingsViewAll)) {
            return;
        }
        let looker = viewer.and_then(Actor::user).map_or(Looker::Address(address), Looker::Person);
        self.views.record(listing.id, looker, self.ambient.now());
    }

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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::Ambient;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-01-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn each_one_counts_once_an_hour_for_each_listing() {
        let (counter, ambient) = (ViewCounter::default(), Ambient::system());
        let (one, other): (ListingId, ListingId) = (ambient.new_id(), ambient.new_id());
        let person = Looker::Person(ambient.new_id());
        for at in [noon(), noon() + TimeDelta::minutes(59)] {
            counter.record(one, person, at);
            counter.record(one, Looker::Address("192.0.2.1"), at);
            counter.record(one, Looker::Address("192.0.2.2"), at);
            counter.record(other, person, at);
        }
        assert_eq!(
            counter.take().into_iter().collect::<BTreeMap<_, _>>(),
            BTreeMap::from([(one, 3), (other, 1)])
        );
        counter.record(one, person, noon() + TimeDelta::minutes(59));
        assert_eq!(counter.take(), [], "what is written down is remembered");
        counter.record(one, person, noon() + TimeDelta::hours(1));
        assert_eq!(counter.take(), [(one, 1)]);
    }

    #[test]
    fn so_many_looks_are_remembered_and_not_one_more() {
        let counter = ViewCounter::default();
        for look in 0..250_000 {
            assert!(counter.is_first(look, noon()), "none is lost");
            assert!(counter.seen.lock().unwrap().looks.len() <= MAX_REMEMBERED);
        }
    }
}
