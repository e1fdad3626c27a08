//! What this process has read of the settings, kept for a few seconds and dropped when it changes one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;

use super::Settings;

/// The values that staff changed, by key; only valid ones.
pub(super) type Overrides = Arc<HashMap<&'static str, Json>>;

#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Counts changes made by this process: what was read before one must not be kept after it.
    changes: AtomicU64,
    kept: RwLock<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    at: DateTime<Utc>,
    overrides: Overrides,
}

impl Cache {
    /// What was read a short while ago.
    pub(super) fn fresh(&self, now: DateTime<Utc>) -> Option<Overrides> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref()?;
        let age = now - kept.at;
        // A clock that was set back must not keep it for longer.
        let is_fresh = age >= TimeDelta::zero() && age.to_std().is_ok_and(|age| age < Settings::SEEN_WITHIN);
        is_fresh.then(|| Arc::clone(&kept.overrides))
    }

    /// What was read last, however long ago.
    pub(super) fn last(&self) -> Option<Overrides> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|kept| Arc::clone(&kept.overrides))
    }

    /// To be asked before reading, and given to [`keep`](Self::keep) after it.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Keeps what was read, unless a change was made meanwhile.
    pub(super) fn keep(&self, changes: u64, at: DateTime<Utc>, overrides: &Overrides) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes() == changes {
            *kept = Some(Kept { at, overrides: Arc::clone(overrides) });
        }
    }

    /// Forgets everything, because a change was made.
    pub(super) fn forget(&self) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        *kept = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn what_was_read_is_kept_for_five_seconds() {
        let cache = Cache::default();
        cache.keep(0, at(100), &Overrides::default());
        assert!(cache.fresh(at(100)).is_some() && cache.fresh(at(104)).is_some());
        assert!(cache.fresh(at(105)).is_none() && cache.fresh(at(99)).is_none());
        assert!(cache.last().is_some());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache = Cache::default();
        let before = cache.changes();
        cache.forget();
        cache.keep(before, at(100), &Overrides::default());
        assert!(cache.fresh(at(100)).is_none());
    }
}
