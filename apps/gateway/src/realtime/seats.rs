//! How many sockets each person has in this process. A seat is taken before somebody is let in, and is free again when
//! their socket is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::UserId;

/// The seats of everybody who is connected.
pub(super) struct Seats {
    /// Of one person.
    most: usize,
    taken: Taken,
}

/// How many seats each person has.
type Taken = Arc<Mutex<HashMap<UserId, usize>>>;

/// One person's place, free again when this is dropped.
pub(super) struct Seat {
    user: UserId,
    taken: Taken,
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Taken::default() }
    }

    /// Takes one for this person, unless they have as many as one may have.
    pub(super) fn take(&self, user: UserId) -> Option<Seat> {
        let mut taken = lock(&self.taken);
        let of_user = taken.get(&user).copied().unwrap_or(0);
        if of_user >= self.most {
            return None;
        }
        taken.insert(user, of_user + 1);
        drop(taken);
        Some(Seat { user, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(of_user) = taken.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

fn lock(taken: &Taken) -> MutexGuard<'_, HashMap<UserId, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}
