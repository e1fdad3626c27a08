//! Polls take turns: of each kind one is under way in a process, and one that comes meanwhile has nothing to do.
//!
//! A poll is due each minute, and may take longer when the provider dawdles. If they piled up, they would take all
//! workers and all the calls that may be under way at the provider, and webhooks would wait behind them.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

/// Whether a poll of each kind is under way here. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    orders: Mutex<()>,
    refunds: Mutex<()>,
}

impl Turns {
    /// The turn to look at orders, until it is dropped; `None` while somebody has it.
    pub(crate) fn orders(&self) -> Option<MutexGuard<'_, ()>> {
        self.0.orders.try_lock().ok()
    }

    /// The turn to look at refunds.
    pub(crate) fn refunds(&self) -> Option<MutexGuard<'_, ()>> {
        self.0.refunds.try_lock().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let another = turns.clone();
        let turn = turns.orders();
        assert!(turn.is_some() && another.orders().is_none(), "clones take turns with each other");
        assert!(another.refunds().is_some(), "another kind has its own");
        drop(turn);
        assert!(another.orders().is_some());
    }
}
