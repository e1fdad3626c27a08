//! Who makes a request.

use kernel::{Actor, Role, SessionId, StaffFacts};
use sea_orm::ConnectionTrait;
use store::StoreError;

use super::rows;
use crate::{Identity, IdentityError};

impl Identity {
    /// Reads the bearer of an access token. Session, person and second factor are read anew, in one query, for
    /// every request: whatever was revoked or changed since the token was issued counts at once.
    ///
    /// # Errors
    /// [`InvalidToken`](IdentityError::InvalidToken), [`TokenExpired`](IdentityError::TokenExpired) or
    /// [`SessionEnded`](IdentityError::SessionEnded) when nobody is logged in by it; one of the account errors when
    /// the person is blocked.
    pub async fn authenticate(&self, bearer: &str) -> Result<Actor, IdentityError> {
        let now = self.ambient.now();
        let config = self.config();
        let claims = self.shared.access.verify(&config.keys.signing, bearer, now)?;
        let found = rows::bearer(self.db.reader()?, claims.sid).await?;
        let found = found.filter(|found| found.user == claims.sub).ok_or(IdentityError::SessionEnded)?;
        found.standing.check(now)?;
        if found.family.has_ended(config, now) {
            return Err(IdentityError::SessionEnded);
        }
        let unknown_role = |_| StoreError::Corrupt(format!("the role {} is unknown", found.role));
        let role: Role = found.role.parse().map_err(unknown_role)?;
        Ok(Actor::Person {
            user: found.user,
            role,
            session: claims.sid,
            staff: role.is_staff().then_some(StaffFacts {
                totp_confirmed: found.totp_confirmed,
                stepped_up_until: found.stepped_up_until.filter(|until| now < *until),
            }),
        })
    }

    /// Whether somebody is logged in through the session, and may be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_session_alive(
        &self,
        db: &impl ConnectionTrait,
        session: SessionId,
    ) -> Result<bool, IdentityError> {
        let now = self.ambient.now();
        let found = rows::bearer(db, session).await?;
        let is_alive = |found: rows::Bearer| {
            found.standing.check(now).is_ok() && !found.family.has_ended(self.config(), now)
        };
        Ok(found.is_some_and(is_alive))
    }
}
