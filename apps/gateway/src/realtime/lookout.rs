//! Sockets whose session has ended and that no event has cut.
//!
//! A logout, a revocation, a block and a new role are events, which tell why and cut. They may be far behind, so it is
//! looked for them too. Age and idleness are none: so a session is looked at again when it would end, unless it was
//! refreshed by then. And where events are passed over, those who might have been cut by one are looked at then.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use identity::IdentityError;
use kernel::SessionId;
use marketplace::Marketplace;
use realtime::{Handle, Socket};

use super::lobby::Guest;
use super::outlet::session_room;

/// How long an event has to tell of a revocation first.
const GRACE: TimeDelta = TimeDelta::seconds(1);

/// How long a revocation may take from its moment until it is committed, the difference between two clocks included: a block
/// takes down all that somebody offers in the same transaction. Whoever is cut already is cut once more, which is nothing.
const COMMIT: TimeDelta = TimeDelta::seconds(120);

/// When the sessions of this process's sockets end.
pub(super) struct Lookout {
    market: Marketplace,
    ends: Mutex<HashMap<SessionId, DateTime<Utc>>>,
    /// Until when it was looked for revocations.
    looked_by: Mutex<Option<DateTime<Utc>>>,
}

impl Lookout {
    pub(super) fn new(market: Marketplace) -> Self {
        Self { market, ends: Mutex::default(), looked_by: Mutex::default() }
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

    /// Cuts the sockets whose session somebody ended a moment ago, whatever has become of the event that tells so.
    ///
    /// # Errors
    /// When the database fails; it is looked for the same ones next time.
    pub(super) async fn look_for_revoked(&self, sockets: &Handle) -> Result<(), IdentityError> {
        let by = self.market.ambient.now() - GRACE;
        let before = *self.looked_by.lock().unwrap_or_else(PoisonError::into_inner);
        let revoked = self.market.identity.revoked_sessions(before.unwrap_or(by) - COMMIT, by).await?;
        for session in revoked {
            sockets.to(session_room(&session.to_string())).disconnect(true);
        }
        *self.looked_by.lock().unwrap_or_else(PoisonError::into_inner) = Some(by);
        Ok(())
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
