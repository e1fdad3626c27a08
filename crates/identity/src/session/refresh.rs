//! Exchanging a refresh token for fresh tokens, and catching a copied one.

use chrono::{DateTime, Utc};
use kernel::SessionId;
use sea_orm::DatabaseTransaction;
use store::append_event_in_txn;

use super::rules::Verdict;
use super::{EndReason, RefreshedTokens, refresh_token, rows};
use crate::user::rows as users;
use crate::{Identity, IdentityError, events};

impl Identity {
    /// Exchanges the token for its successor and a fresh access token. A request that is repeated within ten
    /// seconds, or made twice at once, gets the same successor. A token that was exchanged before that ends its
    /// session: somebody has a copy.
    ///
    /// # Errors
    /// [`InvalidRefreshToken`](IdentityError::InvalidRefreshToken) whatever is wrong with the token; one of the
    /// account errors when the person is blocked.
    pub async fn refresh(&self, token: &str) -> Result<RefreshedTokens, IdentityError> {
        let key = &self.config().keys.refresh;
        let (session, generation) =
            refresh_token::read(key, token).ok_or(IdentityError::InvalidRefreshToken)?;
        let now = self.ambient.now();
        // The inner result is the answer; it commits even when it is a refusal, or the family would live on.
        self.db.in_txn(async |txn| self.refresh_in_txn(txn, (session, generation), now).await).await?
    }

    async fn refresh_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (session, presented): (SessionId, i64),
        now: DateTime<Utc>,
    ) -> Result<Result<RefreshedTokens, IdentityError>, IdentityError> {
        let Some((user, family)) = rows::lock_family_in_txn(txn, session).await? else {
            return Ok(Err(IdentityError::InvalidRefreshToken));
        };
        let standing = users::standing(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
        if let Err(blocked) = standing.check(now) {
            return Ok(Err(blocked));
        }
        let generation = match family.judge(self.config(), presented, now) {
            Verdict::Rotate if rows::rotate_in_txn(txn, session, presented, now).await? => presented + 1,
            Verdict::Repeat => family.generation,
            Verdict::Reuse => {
                rows::revoke_in_txn(txn, (user, session), EndReason::RefreshReuse, now).await?;
                let event = events::session_revoked(user, session, EndReason::RefreshReuse);
                append_event_in_txn(txn, &self.ambient, event).await?;
                metrics::counter!("refresh_reuse_total").increment(1);
                tracing::warn!(%user, %session, "an old refresh token was presented: its session was ended");
                return Ok(Err(IdentityError::InvalidRefreshToken));
            }
            Verdict::Rotate | Verdict::Ended => return Ok(Err(IdentityError::InvalidRefreshToken)),
        };
        Ok(Ok(self.tokens(user, session, generation)?))
    }
}
