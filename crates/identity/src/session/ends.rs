//! When sessions end by time alone: for whoever keeps something open for as long as a session lives.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::SessionId;

use super::rows;
use crate::{Identity, IdentityError};

impl Identity {
    /// When each of these sessions ends by age or idleness, unless it is refreshed before. One that has ended, or never
    /// was, is missing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_ends(
        &self,
        sessions: &[SessionId],
    ) -> Result<HashMap<SessionId, DateTime<Utc>>, IdentityError> {
        let now = self.ambient.now();
        let config = self.config();
        let found = rows::families(self.db.reader()?, sessions).await?;
        let alive = found.into_iter().filter(|(_, family)| !family.has_ended(config, now));
        Ok(alive.map(|(session, family)| (session, family.ends_at(config))).collect())
    }

    /// The sessions that somebody ended after the one moment and by the other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoked_sessions(
        &self,
        after: DateTime<Utc>,
        by: DateTime<Utc>,
    ) -> Result<Vec<SessionId>, IdentityError> {
        Ok(rows::revoked(self.db.reader()?, after, by).await?)
    }
}
