//! Logging out, seeing one's sessions, and ending them from elsewhere.

use kernel::{SessionId, UserId};
use sea_orm::DatabaseTransaction;
use store::append_event_in_txn;

use super::{EndReason, SessionView, rows};
use crate::user::rows as users;
use crate::{Identity, IdentityError, events};

impl Identity {
    /// Ends the session the request came through; its access token is worth nothing from then on.
    ///
    /// # Errors
    /// When the database fails. A session that has ended before is no error.
    pub async fn logout(&self, user: UserId, session: SessionId) -> Result<(), IdentityError> {
        match self.end(user, session, EndReason::Logout).await {
            Err(IdentityError::SessionNotFound) => Ok(()),
            other => other,
        }
    }

    /// The person's living sessions, newest first, at most a hundred.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_sessions(
        &self,
        user: UserId,
        current: SessionId,
    ) -> Result<Vec<SessionView>, IdentityError> {
        let now = self.ambient.now();
        let window = (now, now - self.config().session_idle);
        Ok(rows::alive_of(self.db.reader()?, user, current, window).await?)
    }

    /// Ends one of the person's sessions.
    ///
    /// # Errors
    /// [`SessionNotFound`](IdentityError::SessionNotFound) when it has ended, never was, or is somebody else's.
    pub async fn revoke_session(&self, user: UserId, session: SessionId) -> Result<(), IdentityError> {
        self.end(user, session, EndReason::RevokedByOwner).await
    }

    /// Ends all of the person's sessions but the current one; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_other_sessions(
        &self,
        user: UserId,
        current: SessionId,
    ) -> Result<u64, IdentityError> {
        self.db
            .in_txn(async |txn| {
                users::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
                self.end_all_in_txn(txn, user, Some(current), EndReason::RevokedByOwner).await
            })
            .await
    }

    async fn end(&self, user: UserId, session: SessionId, reason: EndReason) -> Result<(), IdentityError> {
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                if !rows::revoke_in_txn(txn, (user, session), reason, now).await? {
                    return Err(IdentityError::SessionNotFound);
                }
                let event = events::session_revoked(user, session, reason);
                append_event_in_txn(txn, &self.ambient, event).await?;
                Ok(())
            })
            .await
    }

    /// Ends all sessions but the one that may stay, each with its event. The person's row must be locked.
    pub(crate) async fn end_all_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        stays: Option<SessionId>,
        reason: EndReason,
    ) -> Result<u64, IdentityError> {
        let ended = rows::revoke_all_in_txn(txn, user, stays, reason, self.ambient.now()).await?;
        for session in &ended {
            append_event_in_txn(txn, &self.ambient, events::session_revoked(user, *session, reason)).await?;
        }
        Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
    }
}
