//! A changed number or address: whoever had the old one hears of it there, or a stolen phone could take the account
//! with it unnoticed.

use identity::{Contact, ContactChanged, OtpCode, UserView};
use kernel::{SessionId, UserId};
use notify::{FormerContact, Kind, Language};
use sea_orm::DatabaseTransaction;
use serde_json::json;

use crate::jobs::deliver_in_txn;
use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Makes the contact this person's own, given the code that was sent to it. The one that they had before is told in
    /// the same transaction, sealed until the message has left; the inbox, the devices and what else they have follow
    /// from the event.
    ///
    /// # Errors
    /// Identity's own.
    pub async fn confirm_contact_change(
        &self,
        who: (UserId, SessionId),
        contact: &Contact,
        code: &OtpCode,
    ) -> Result<UserView, FlowError> {
        let answer = self
            .db
            .in_txn(async |txn| {
                let answer = self.identity.confirm_contact_change_in_txn(txn, who, contact, code).await?;
                if let Ok(ContactChanged { former: Some(former), .. }) = &answer {
                    self.tell_former_contact_in_txn(txn, who.0, former).await?;
                }
                Ok::<_, FlowError>(answer)
            })
            .await?;
        Ok(answer?.user)
    }

    async fn tell_former_contact_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        former: &Contact,
    ) -> Result<(), FlowError> {
        let reach = self.identity.reach(txn, &[user]).await?;
        let language = reach.first().map_or(Language::English, |one| Language::of_tag(&one.language));
        let former = match former {
            Contact::Phone(phone) => FormerContact::Phone(phone.clone()),
            Contact::Email(email) => FormerContact::Email(email.clone()),
        };
        let facts = json!({ "at": self.ambient.now() });
        let kind = Kind::SecurityContactChanged;
        let planned =
            self.notify.tell_former_contact_in_txn(txn, (user, language), &former, kind, facts).await?;
        Ok(deliver_in_txn(txn, self, &[planned]).await?)
    }
}
