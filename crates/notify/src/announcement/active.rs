//! The announcements that somebody is shown, until they close them.

use chrono::{DateTime, Utc};
use kernel::{AnnouncementId, TypedId, UserId};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use store::{Engine, insert_if_absent};

use super::{AnnouncementView, AudienceFacts, rows};
use crate::{Language, Notify, NotifyError};

/// The most announcements that are looked at: more at once would not be read.
const LOOKED_AT: u32 = 200;

/// An announcement as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAnnouncementView {
    /// Its id.
    pub id: AnnouncementId,
    /// One line.
    #[schema(example = "Festival week")]
    pub title: String,
    /// The text.
    #[schema(example = "Boosts cost half until Sunday.")]
    pub body: String,
    /// Where it leads inside the app: a path.
    #[schema(example = "/boosts")]
    pub action: Option<String>,
    /// Higher ones come first.
    pub priority: i32,
    /// Whether it can be closed.
    pub dismissible: bool,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Notify {
    /// What somebody is shown now, the highest priority first: announcements for them that have begun, are not over,
    /// and which they have not closed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_announcements(
        &self,
        user: UserId,
        language: Language,
        facts: &AudienceFacts,
    ) -> Result<Vec<ActiveAnnouncementView>, NotifyError> {
        let now = self.ambient.now();
        let condition = format!(
            "status IN ('sending', 'sent') AND in_app = ? AND (expires_at IS NULL OR expires_at > ?) \
             AND NOT EXISTS (SELECT 1 FROM announcement_dismissals d WHERE d.announcement_id = announcements.id \
             AND d.user_id = ?) ORDER BY priority DESC, id DESC LIMIT {LOOKED_AT}"
        );
        let values = vec![true.into(), now.into(), user.uuid().into()];
        let found = rows::select(self.db.reader()?, &condition, values).await?;
        let for_them = found.into_iter().filter(|one| one.fields.input().audience.covers(facts));
        Ok(for_them.map(|one| shown(&one, language)).collect())
    }

    /// Closes an announcement for somebody. It may be repeated.
    ///
    /// # Errors
    /// [`NotifyError::AnnouncementNotFound`] when it is not shown, or not to them; a conflict when it cannot be closed.
    pub async fn dismiss_announcement(
        &self,
        user: UserId,
        facts: &AudienceFacts,
        id: AnnouncementId,
    ) -> Result<(), NotifyError> {
        let now = self.ambient.now();
        let found = rows::select(self.db.reader()?, "id = ?", vec![id.uuid().into()]).await?;
        let is_theirs = |one: &AnnouncementView| {
            let input = one.fields.input();
            one.status.is_shown() && input.in_app && input.audience.covers(facts)
        };
        let one = found.into_iter().next().filter(is_theirs);
        let one = one.ok_or(NotifyError::AnnouncementNotFound)?;
        if !one.fields.input().dismissible {
            return Err(NotifyError::conflict("announcement_not_dismissible", "this announcement stays"));
        }
        self.db
            .in_txn(async |txn| {
                let insert = Engine::of(txn.get_database_backend()).statement(
                    "INSERT INTO announcement_dismissals (announcement_id, user_id, dismissed_at) VALUES (?, ?, ?)",
                    [id.uuid().into(), user.uuid().into(), now.into()],
                );
                insert_if_absent(txn, insert).await?;
                Ok::<_, NotifyError>(())
            })
            .await
    }
}

fn shown(one: &AnnouncementView, language: Language) -> ActiveAnnouncementView {
    let (title, body) = one.fields.words(language);
    let input = one.fields.input();
    ActiveAnnouncementView {
        id: one.id,
        title: title.to_owned(),
        body: body.to_owned(),
        action: input.action.clone(),
        priority: input.priority,
        dismissible: input.dismissible,
        expires_at: input.expires_at,
    }
}
