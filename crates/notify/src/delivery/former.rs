//! A word to the number or address that somebody has just left: the one message whose contact is kept with it, sealed,
//! because nobody can look it up any more.

use kernel::{DeliveryId, Email, Phone, Sealed, SealingError, UserId};
use sea_orm::DatabaseTransaction;
use secrecy::ExposeSecret;
use serde_json::Value as Json;

use super::rows::{self, NewDelivery};
use super::rules::check;
use super::{Contact, DeliveryStatus, Lane, NewNotification, PlannedDelivery};
use crate::{Channel, Kind, Language, Notify, NotifyError};

/// A number or address that was somebody's.
#[derive(Clone)]
pub enum FormerContact {
    /// A number.
    Phone(Phone),
    /// An address.
    Email(Email),
}

impl std::fmt::Debug for FormerContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FormerContact").field(&self.channel()).finish()
    }
}

impl FormerContact {
    fn channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }
}

/// Where a contact is sealed for.
pub(super) fn place(id: DeliveryId) -> String {
    format!("notification_deliveries|former_contact|{id}")
}

impl Notify {
    /// Plans a message to a contact that is not the person's any more, in the transaction that takes it from them. It
    /// goes at any hour and counts towards no cap: it is for what is critical.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] when a variable of the kind is missing.
    pub async fn tell_former_contact_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, language): (UserId, Language),
        former: &FormerContact,
        kind: Kind,
        params: Json,
    ) -> Result<PlannedDelivery, NotifyError> {
        let id: DeliveryId = self.ambient.new_id();
        let new =
            NewNotification { kind, event_key: format!("former:{id}"), params, action: None, only: None };
        check(&new)?;
        let sealed = self.config.sealing.seal(&self.ambient, &place(id), former.as_str().as_bytes())?;
        let (channel, now) = (former.channel(), self.ambient.now());
        let row = NewDelivery {
            id,
            user,
            kind,
            event_key: &new.event_key,
            channel,
            device: None,
            former: Some(&sealed),
            collapse_key: None,
            language,
            params: &new.params,
            action: None,
            status: DeliveryStatus::Queued,
            reason: None,
            due_at: Some(now),
            now,
        };
        rows::insert(txn, &row).await?;
        Ok(PlannedDelivery { id, channel, lane: Lane::of(kind, channel), due_at: now })
    }

    /// The contact that was sealed for a delivery; one that cannot be read is none.
    pub(super) fn open_former(&self, id: DeliveryId, sealed: &Sealed) -> Result<Contact, SealingError> {
        let text = self.config.sealing.open_text(&place(id), sealed)?;
        let text = text.expose_secret();
        Ok(Contact { phone: Phone::parse(text).ok(), email: Email::parse(text).ok() })
    }

    /// Seals the contacts anew that an older key sealed; gives how many that were. They are few: each is gone once its
    /// message has left.
    pub(crate) async fn reseal_former_contacts(&self) -> Result<u64, NotifyError> {
        let keys = &self.config.sealing;
        self.db
            .in_txn(async |txn| {
                let mut moved = 0;
                for (id, sealed) in rows::lock_former_sealed_otherwise(txn, keys.current_id()).await? {
                    match keys.reseal(&self.ambient, &place(id), &sealed) {
                        Ok(sealed) => {
                            rows::set_former(txn, id, sealed).await?;
                            moved += 1;
                        }
                        // The others are not to wait for it.
                        Err(error) => {
                            tracing::error!(delivery = %id, %error, "a contact stays under its old key")
                        }
                    }
                }
                Ok(moved)
            })
            .await
    }
}
