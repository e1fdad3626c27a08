//! What staff say to everybody who is connected, at once. It goes into no inbox: who is not there, and does not come back
//! while it is news, does not hear it.

use kernel::{Caller, EventId, InvalidInput, Permission};
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::{NewEvent, append_event_in_txn, audit};

use super::{AnnouncementInput, Audience};
use crate::error::require;
use crate::{Notify, NotifyError};

/// A broadcast as staff write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastInput {
    /// The title in English.
    pub title_en: String,
    /// The title in Hindi; the English one stands in for it.
    pub title_hi: Option<String>,
    /// The text in English.
    pub body_en: String,
    /// The text in Hindi; the English one stands in for it.
    pub body_hi: Option<String>,
    /// Where it leads inside the app: a path.
    pub action: Option<String>,
}

/// A broadcast that says all it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast(BroadcastInput);

impl BroadcastInput {
    /// Checks what was written, as an announcement to everybody is checked.
    ///
    /// # Errors
    /// With every field that is wrong.
    pub fn check(self) -> Result<Broadcast, InvalidInput> {
        let announcement = AnnouncementInput {
            title_en: self.title_en,
            title_hi: self.title_hi,
            body_en: self.body_en,
            body_hi: self.body_hi,
            action: self.action,
            audience: Audience::All {},
            in_app: true,
            push: false,
            priority: 0,
            dismissible: true,
            starts_at: None,
            expires_at: None,
        };
        let AnnouncementInput { title_en, title_hi, body_en, body_hi, action, .. } = announcement.check()?.0;
        Ok(Broadcast(Self { title_en, title_hi, body_en, body_hi, action }))
    }
}

impl Broadcast {
    /// What everybody hears. What was not written is left out.
    fn told(&self) -> Json {
        let Self(written) = self;
        let all = [
            ("titleEn", Some(&written.title_en)),
            ("titleHi", written.title_hi.as_ref()),
            ("bodyEn", Some(&written.body_en)),
            ("bodyHi", written.body_hi.as_ref()),
            ("action", written.action.as_ref()),
        ];
        let told = |(field, text): (&str, Option<&String>)| Some((field.to_owned(), json!(text?)));
        Json::Object(all.into_iter().filter_map(told).collect())
    }
}

impl Notify {
    /// Tells everybody who is connected, in the caller's transaction; recorded. Gives the event, by which clients know it
    /// too.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the database fails.
    pub async fn broadcast_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        broadcast: &Broadcast,
    ) -> Result<EventId, NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        let told = broadcast.told();
        let event =
            NewEvent { subject: "everyone".to_owned(), kind: "broadcast.sent", payload: told.clone() };
        let id = append_event_in_txn(txn, &self.ambient, event).await?;
        let record = audit::Entry {
            caller,
            action: "broadcast.sent",
            subject_kind: "broadcast",
            subject_id: id.to_string(),
            before: Json::Null,
            after: told,
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(id)
    }
}
