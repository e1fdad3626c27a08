//! The tree, kept in memory.
//!
//! A change by this process drops the copy, so its next reader sees the change. Changes by other processes, and
//! listing counts, are seen once the copy is older than [`TTL`]; one reader then loads it anew while the others go on
//! with the old one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::{CategoryTree, rows};
use crate::CatalogError;

/// How old a copy may be before it is loaded anew.
const TTL: TimeDelta = TimeDelta::seconds(2);

#[derive(Debug, Clone)]
struct Copy {
    tree: Arc<CategoryTree>,
    at: DateTime<Utc>,
}

/// Keeps the tree.
#[derive(Debug, Default)]
pub(crate) struct CategoryCache {
    copy: RwLock<Option<Copy>>,
    /// Counts the drops: a copy read before a drop must not be kept after it.
    drops: AtomicU64,
    /// Held by the one who loads.
    loading: tokio::sync::Mutex<()>,
}

impl CategoryCache {
    /// The kept tree, if it is fresh enough to be used without asking the database.
    pub(crate) fn fresh(&self, now: DateTime<Utc>) -> Option<Arc<CategoryTree>> {
        self.kept().filter(|copy| now - copy.at < TTL).map(|copy| copy.tree)
    }

    /// The tree, loaded if need be.
    pub(crate) async fn get(
        &self,
        reader: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<Arc<CategoryTree>, CatalogError> {
        if let Some(tree) = self.fresh(now) {
            return Ok(tree);
        }
        let _turn = match (self.loading.try_lock(), self.kept()) {
            (Ok(turn), _) => turn,
            (Err(_), Some(old)) => return Ok(old.tree),
            (Err(_), None) => self.loading.lock().await,
        };
        // Whoever waited for the turn finds the work done.
        if let Some(tree) = self.fresh(now) {
            return Ok(tree);
        }
        let drops = self.drops.load(Ordering::SeqCst);
        let tree = Arc::new(CategoryTree::new(rows::all(reader).await?));
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        if self.drops.load(Ordering::SeqCst) == drops {
            *copy = Some(Copy { tree: Arc::clone(&tree), at: now });
        }
        Ok(tree)
    }

    /// Forgets the copy, after a change.
    pub(crate) fn drop_copy(&self) {
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        self.drops.fetch_add(1, Ordering::SeqCst);
        *copy = None;
    }

    fn kept(&self) -> Option<Copy> {
        self.copy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
