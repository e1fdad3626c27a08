//! Staff tell everybody who is connected, once however often the request is repeated under its key.

use kernel::{Caller, EventId, Permission};
use notify::{Broadcast, NotifyError};
use sea_orm::DatabaseTransaction;
use store::{IdempotencyKey, StoredAnswer};

use super::once::{Effect, Once};
use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Tells everybody who is connected. Gives the event, by which clients know it too; `answer` writes the answer that
    /// is kept under the key.
    ///
    /// # Errors
    /// When the caller may not; [`FlowError::KeyReused`] when the key was used for another request, and
    /// [`FlowError::KeyInProgress`] when the first request under it has not been answered.
    pub async fn broadcast(
        &self,
        caller: &Caller,
        broadcast: &Broadcast,
        key: Option<&IdempotencyKey>,
        answer: fn(&EventId) -> StoredAnswer,
    ) -> Result<Once<EventId>, FlowError> {
        // Who may not is given no earlier answer either.
        if !caller.actor.may(Permission::AnnouncementsManage) {
            return Err(NotifyError::Forbidden.into());
        }
        let tell = async |txn: &DatabaseTransaction| {
            Ok(Effect::Done(self.notify.broadcast_in_txn(txn, caller, broadcast).await?))
        };
        self.once(key, tell, answer).await
    }
}
