//! What is in force for listings, and a copy of it in memory: lists ask it of every card.
//!
//! A change by this process drops the copy, so its next reader sees the change. Changes by other processes, and of the
//! listings themselves, are seen once the copy is older than [`TTL`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{CategoryId, ListingId, UserId};
use sea_orm::ConnectionTrait;
use store::StoreError;

use super::rules::Span;
use super::{BoostKind, in_force};

/// How old a copy may be before it is loaded anew.
const TTL: TimeDelta = TimeDelta::seconds(2);

/// What is or will be in force for a listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Prominence {
    pub(crate) boosted: Option<Span>,
    pub(crate) featured: Option<Span>,
    /// It stands before others.
    pub(crate) top: Option<Span>,
    pub(crate) highlighted: Option<Span>,
}

impl Prominence {
    /// When what a kind gives began and ends.
    pub(super) fn of(&self, kind: BoostKind) -> Option<Span> {
        match kind {
            BoostKind::Boost => self.boosted,
            BoostKind::Feature => self.featured,
        }
    }

    /// The same with a boost more.
    pub(super) fn with(mut self, kind: BoostKind, next: Span, is_top: bool, is_highlighted: bool) -> Self {
        match kind {
            BoostKind::Boost => self.boosted = Some(Span::then(self.boosted, next)),
            BoostKind::Feature => self.featured = Some(Span::then(self.featured, next)),
        }
        if is_top {
            self.top = Some(Span::then(self.top, next));
        }
        if is_highlighted {
            self.highlighted = Some(Span::then(self.highlighted, next));
        }
        self
    }

    /// The four spans, in the order of their columns.
    pub(super) fn spans(&self) -> [Option<Span>; 4] {
        [self.boosted, self.featured, self.top, self.highlighted]
    }

    /// Until when the listing is boosted, if it is.
    pub(crate) fn boosted_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.boosted.filter(|span| span.holds(now)).map(|span| span.until)
    }

    /// Until when the listing is featured, if it is.
    pub(crate) fn featured_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.featured.filter(|span| span.holds(now)).map(|span| span.until)
    }

    /// Whether the listing is shown in another colour.
    pub(crate) fn is_highlighted(&self, now: DateTime<Utc>) -> bool {
        self.highlighted.is_some_and(|span| span.holds(now))
    }
}

/// A listing with what is in force for it, and what lists are filtered by.
#[derive(Debug, Clone)]
pub(crate) struct Prominent {
    pub(crate) id: ListingId,
    pub(crate) prominence: Prominence,
    pub(crate) is_active: bool,
    pub(crate) category: CategoryId,
    pub(crate) seller: UserId,
    pub(crate) price: i64,
    pub(crate) condition: String,
    pub(crate) city_key: String,
    pub(crate) state_key: String,
}

/// Everything that was in force at a moment.
#[derive(Debug, Default)]
pub(crate) struct ProminentListings {
    pub(crate) at: DateTime<Utc>,
    listings: HashMap<ListingId, Prominent>,
}

impl ProminentListings {
    /// What is in force for the listing.
    pub(crate) fn of(&self, id: ListingId) -> Option<&Prominence> {
        self.listings.get(&id).map(|listing| &listing.prominence)
    }

    /// ACTIVE listings that stood before others at the moment and are `wanted`: at most so many, those that began
    /// last.
    pub(crate) fn top(
        &self,
        at: DateTime<Utc>,
        most: usize,
        wanted: impl Fn(&Prominent) -> bool,
    ) -> Vec<ListingId> {
        let mut found: Vec<(DateTime<Utc>, ListingId)> = self
            .listings
            .values()
            .filter(|listing| listing.is_active)
            .filter_map(|listing| {
                let span = listing.prominence.top.filter(|span| span.holds(at))?;
                wanted(listing).then_some((span.since, listing.id))
            })
            .collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(most);
        found.into_iter().map(|(_, id)| id).collect()
    }
}

/// Keeps the copy.
#[derive(Debug, Default)]
pub(crate) struct ProminenceCache {
    copy: RwLock<Option<Arc<ProminentListings>>>,
    /// Counts the drops: a copy read before a drop must not be kept after it.
    drops: AtomicU64,
    /// Held by the one who loads.
    loading: tokio::sync::Mutex<()>,
}

impl ProminenceCache {
    /// The copy, loaded if need be. While one loads, the others go on with the old one.
    pub(crate) async fn get(
        &self,
        reader: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<Arc<ProminentListings>, StoreError> {
        if let Some(copy) = self.fresh(now) {
            return Ok(copy);
        }
        let _turn = match (self.loading.try_lock(), self.kept()) {
            (Ok(turn), _) => turn,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => self.loading.lock().await,
        };
        // Whoever waited for the turn finds the work done.
        if let Some(copy) = self.fresh(now) {
            return Ok(copy);
        }
        let drops = self.drops.load(Ordering::SeqCst);
        let listings = in_force::all(reader, now).await?;
        let listings = listings.into_iter().map(|listing| (listing.id, listing)).collect();
        let loaded = Arc::new(ProminentListings { at: now, listings });
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        if self.drops.load(Ordering::SeqCst) == drops {
            *copy = Some(Arc::clone(&loaded));
        }
        Ok(loaded)
    }

    /// Forgets the copy, after a change.
    pub(crate) fn drop_copy(&self) {
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        self.drops.fetch_add(1, Ordering::SeqCst);
        *copy = None;
    }

    fn fresh(&self, now: DateTime<Utc>) -> Option<Arc<ProminentListings>> {
        self.kept().filter(|copy| now - copy.at < TTL)
    }

    fn kept(&self) -> Option<Arc<ProminentListings>> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
