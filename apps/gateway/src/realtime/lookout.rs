//! Sockets whose session ends by time alone.
//!
//! A logout, a revocation, a block and a new role are events, which cut sockets at once. Age and idleness are none: so a
//! session is looked at again when it would end, unless it was refreshed by then. And where events are passed over, those
//! who might have been cut by one are looked at then.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use identity::IdentityError;
use kernel::SessionId;
use marketplace::Marketplace;
use realtime::{Handle, Socket};

use super::lobby::Guest;
use super::outlet::session_room;

/// When the sessions of this process's sockets end.
pub(super) struct Lookout {
    market: Marketplace,
    ends: Mutex<HashMap<SessionId, DateTime<Utc>>>,
}

impl Lookout {
    pub(super) fn new(market: Marketplace) -> Self {
        Self { market, ends: Mutex::default() }
    }

    /// Cuts the sockets whose session has ended. One that is seen for the first time is asked for too: so is whatever an
    /// event should have cut and did not.
    ///
    /// # Errors
    /// When the database fails; nobody is cut then.
    pub(super) async fn look(&self, sockets: &Handle) -> Result<(), IdentityError> {
        self.cut_ended(sockets, &self.due(&sockets.everybody().sockets())).await
    }

    /// Cuts the sockets of this room whose session has ended, however long it was to last.
    ///
    /// # Errors
    /// When the database fails; nobody is cut then.
    pub(super) async fn look_into(&self, sockets: &Handle, room: &str) -> Result<(), IdentityError> {
        let sessions: Vec<SessionId> = sessions(&sockets.to(room).sockets()).into_iter().collect();
        self.cut_ended(sockets, &sessions).await
    }

    async fn cut_ended(&self, sockets: &Handle, sessions: &[SessionId]) -> Result<(), IdentityError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let found = self.market.identity.session_ends(sessions).await?;
        let ended = sessions.iter().filter(|session| !found.contains_key(session));
        for session in ended {
            sockets.to(session_room(&session.to_string())).disconnect(true);
        }
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        Ok(())
    }

    /// The sessions that may have ended by now; those that nobody is connected by any more are forgotten.
    fn due(&self, sockets: &[Socket]) -> Vec<SessionId> {
        let here = sessions(sockets);
        let now = self.market.ambient.now();
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|session, _| here.contains(session));
        here.into_iter().filter(|session| ends.get(session).is_none_or(|at| *at <= now)).collect()
    }
}

/// The sessions by which these are connected.
fn sessions(sockets: &[Socket]) -> HashSet<SessionId> {
    sockets.iter().filter_map(|socket| socket.data::<Guest>()).map(Guest::session).collect()
}
