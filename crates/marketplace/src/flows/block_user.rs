//! Staff change somebody's standing; what a blocked person offers goes off sale with them.

use identity::{Reason, StaffUserView, StatusChange};
use kernel::{Caller, UserId};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Changes somebody's standing. When they become SUSPENDED or BANNED, all their ACTIVE listings become PAUSED in
    /// the same transaction, and what is left of their boosts is given back. Nothing is resumed when the block is lifted
    /// or ends: that is for the seller to do.
    ///
    /// # Errors
    /// Identity's: when the caller may not, there is no such person, or no super admin would be left.
    pub async fn set_user_status(
        &self,
        caller: &Caller,
        user: UserId,
        change: StatusChange,
        reason: &Reason,
    ) -> Result<StaffUserView, FlowError> {
        let account = self
            .db
            .in_txn(async |txn| {
                let account = self.identity.set_status_in_txn(txn, caller, user, change, reason).await?;
                match change {
                    StatusChange::Activate => {}
                    StatusChange::Suspend { .. } | StatusChange::Ban => {
                        self.catalog.pause_all_of_in_txn(txn, user).await?;
                        self.cut_boosts_of_in_txn(txn, caller, user).await?;
                    }
                }
                Ok::<_, FlowError>(account)
            })
            .await?;
        self.catalog.forget_prominence();
        Ok(account)
    }
}
