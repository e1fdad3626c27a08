//! The first super admin, made by the operator.

use kernel::{Caller, Phone, Role, UserId};
use serde_json::json;
use store::{append_event_in_txn, audit};

use super::rows::{self, NewUser};
use crate::{Contact, Identity, IdentityError, events};

impl Identity {
    /// Makes the owner of this number a super admin, with a new account if they have none. Doing it again changes
    /// nothing. For the operator's command and the seed: no role is asked for.
    ///
    /// # Errors
    /// When the database fails, or the account is blocked.
    pub async fn create_super_admin(&self, phone: &Phone) -> Result<UserId, IdentityError> {
        let caller = Caller::system("create-admin");
        let contact = Contact::Phone(phone.clone());
        let now = self.ambient.now();
        self.db
            .in_txn(async |txn| {
                let new = NewUser {
                    id: self.ambient.new_id(),
                    contact: &contact,
                    name: "",
                    role: Role::SuperAdmin,
                    now,
                };
                if rows::insert_in_txn(txn, &new).await? {
                    append_event_in_txn(txn, &self.ambient, events::registered(new.id)).await?;
                    let entry = audit::Entry {
                        caller: &caller,
                        action: "user.created",
                        subject_kind: "user",
                        subject_id: new.id.to_string(),
                        before: json!({}),
                        after: json!({"role": new.role}),
                        reason: None,
                    };
                    audit::append_in_txn(txn, &self.ambient, entry).await?;
                    return Ok(new.id);
                }
                let found = rows::lock_by_contact(txn, &contact).await?;
                let (user, standing) = found.ok_or(IdentityError::UserNotFound)?;
                standing.check(now)?;
                let target = rows::lock(txn, user).await?.ok_or(IdentityError::UserNotFound)?;
                if target.role != Role::SuperAdmin {
                    let roles = (target.role, Role::SuperAdmin);
                    self.give_role_in_txn(txn, &caller, user, roles, None).await?;
                }
                Ok(user)
            })
            .await
    }
}
