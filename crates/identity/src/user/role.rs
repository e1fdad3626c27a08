//! Appointing and dismissing staff.

use kernel::{Caller, Role, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::{append_event_in_txn, audit};

use super::rules::{check_one_remains, check_role_change};
use super::{Reason, StaffUserView, rows};
use crate::session::EndReason;
use crate::{Identity, IdentityError, events};

impl Identity {
    /// Gives somebody a role. Their sessions end, so that nothing they hold speaks of the old one.
    ///
    /// # Errors
    /// [`NotAllowed`](IdentityError::NotAllowed) or [`OwnAccount`](IdentityError::OwnAccount) when the caller may
    /// not; [`LastSuperAdmin`](IdentityError::LastSuperAdmin) when nobody would be left to appoint staff.
    pub async fn set_role(
        &self,
        caller: &Caller,
        user: UserId,
        role: Role,
        reason: Option<&Reason>,
    ) -> Result<StaffUserView, IdentityError> {
        self.db
            .in_txn(async |txn| {
                let super_admins = rows::lock_super_admins(txn).await?;
                let target = rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
                check_role_change(&caller.actor, &target)?;
                if target.role != role {
                    check_one_remains(&super_admins, user)?;
                    self.give_role_in_txn(txn, caller, user, (target.role, role), reason).await?;
                }
                let view = rows::find_for_staff(txn, user).await?;
                view.ok_or(IdentityError::UserNotFound)
            })
            .await
    }

    /// Writes the role with everything that goes with it. The person's row is locked and the rules are checked.
    pub(super) async fn give_role_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        user: UserId,
        (from, to): (Role, Role),
        reason: Option<&Reason>,
    ) -> Result<(), IdentityError> {
        rows::set_role_in_txn(txn, user, to, self.ambient.now()).await?;
        append_event_in_txn(txn, &self.ambient, events::role_changed(user, from, to)).await?;
        self.end_all_in_txn(txn, user, None, EndReason::RoleChanged).await?;
        let entry = audit::Entry {
            caller,
            action: "user.role_changed",
            subject_kind: "user",
            subject_id: user.to_string(),
            before: json!({"role": from}),
            after: json!({"role": to}),
            reason: reason.map(|reason| reason.as_str().to_owned()),
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        Ok(())
    }
}
