//! Staff's work on announcements. Each change is recorded.

use kernel::{AnnouncementId, Caller, Page, Paging, Permission, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::{Engine, audit};

use super::{AnnouncementEvent, AnnouncementFields, AnnouncementStatus, AnnouncementView, rows};
use crate::error::require;
use crate::{Notify, NotifyError};

/// Where the list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    id: AnnouncementId,
}

impl Notify {
    /// Announcements, newest first; of one status or all.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the cursor is not of this list.
    pub async fn announcements(
        &self,
        caller: &Caller,
        status: Option<AnnouncementStatus>,
        paging: &Paging,
    ) -> Result<Page<AnnouncementView>, NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        let reader = self.db.reader()?;
        let (mut condition, mut values): (String, Vec<Value>) = match status {
            Some(status) => ("status = ?".to_owned(), vec![status.as_str().into()]),
            None => ("1 = 1".to_owned(), Vec::new()),
        };
        let ordered = |condition: &str, rows: u32, offset: u64| {
            format!("{condition} ORDER BY id DESC LIMIT {rows} OFFSET {offset}")
        };
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS n FROM announcements WHERE {condition}");
                let row = reader.query_one_raw(self.db.engine().statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
                let found =
                    rows::select(reader, &ordered(&condition, *limit, paging.offset()), values).await?;
                Ok(Page::numbered(found, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                let scope = format!("announcements:{}", status.map_or("", AnnouncementStatus::as_str));
                if let Some(cursor) = cursor {
                    let at: Position = self.config.cursors.open(&scope, cursor)?;
                    condition += " AND id < ?";
                    values.push(at.id.uuid().into());
                }
                let found = rows::select(reader, &ordered(&condition, limit + 1, 0), values).await?;
                Ok(Page::feed(found, *limit, |last| {
                    self.config.cursors.seal(&scope, &Position { id: last.id })
                }))
            }
        }
    }

    /// One announcement.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::AnnouncementNotFound`].
    pub async fn announcement(
        &self,
        caller: &Caller,
        id: AnnouncementId,
    ) -> Result<AnnouncementView, NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        let found = rows::select(self.db.reader()?, "id = ?", vec![id.uuid().into()]).await?;
        found.into_iter().next().ok_or(NotifyError::AnnouncementNotFound)
    }

    /// Writes a draft.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the database fails.
    pub async fn create_announcement(
        &self,
        caller: &Caller,
        fields: &AnnouncementFields,
    ) -> Result<AnnouncementView, NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        let now = self.ambient.now();
        let view = AnnouncementView {
            id: self.ambient.new_id(),
            fields: fields.clone(),
            status: AnnouncementStatus::Draft,
            reached: 0,
            position: None,
            version: 1,
            created_by: caller.actor.name(),
            created_at: now,
            updated_at: now,
        };
        self.db
            .in_txn(async |txn| {
                rows::insert(txn, &view).await?;
                self.record_announcement(txn, caller, "announcement.created", None, Some(&view)).await
            })
            .await?;
        Ok(view)
    }

    /// Changes a draft. With `expected` only while it is at that version.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::AnnouncementNotFound`], [`NotifyError::VersionMismatch`], or a conflict
    /// when it is no draft.
    pub async fn update_announcement(
        &self,
        caller: &Caller,
        id: AnnouncementId,
        fields: &AnnouncementFields,
        expected: Option<i64>,
    ) -> Result<AnnouncementView, NotifyError> {
        self.change_announcement(caller, id, expected, "announcement.changed", |mut view| {
            if view.status != AnnouncementStatus::Draft {
                return Err(NotifyError::conflict("announcement_not_draft", "only a draft can be changed"));
            }
            view.fields = fields.clone();
            Ok(view)
        })
        .await
    }

    /// Schedules a draft, takes a scheduled one back, or stops one. Those who were told are not told otherwise; what
    /// waits to be pushed goes.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::AnnouncementNotFound`], [`NotifyError::VersionMismatch`], or a conflict
    /// when its state does not allow it, or its time would be over before it began.
    pub async fn move_announcement(
        &self,
        caller: &Caller,
        id: AnnouncementId,
        event: AnnouncementEvent,
        expected: Option<i64>,
    ) -> Result<AnnouncementView, NotifyError> {
        let action = match event {
            AnnouncementEvent::Schedule => "announcement.scheduled",
            AnnouncementEvent::Unschedule => "announcement.unscheduled",
            AnnouncementEvent::Stop => "announcement.stopped",
            AnnouncementEvent::Begin | AnnouncementEvent::Finish | AnnouncementEvent::Expire => {
                return Err(NotifyError::conflict("announcement_state", "this happens by itself"));
            }
        };
        let now = self.ambient.now();
        self.change_announcement(caller, id, expected, action, |mut view| {
            let next = view.status.after(event);
            view.status = next.ok_or(NotifyError::conflict(
                "announcement_state",
                "the announcement is in a state in which this cannot be done",
            ))?;
            let is_over = view.fields.input().expires_at.is_some_and(|expires| expires <= now);
            if event == AnnouncementEvent::Schedule && is_over {
                return Err(NotifyError::conflict("announcement_over", "its time is over already"));
            }
            Ok(view)
        })
        .await
    }

    /// Removes a draft.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::AnnouncementNotFound`], or a conflict when it is no draft.
    pub async fn delete_announcement(&self, caller: &Caller, id: AnnouncementId) -> Result<(), NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        self.db
            .in_txn(async |txn| {
                let before = rows::lock(txn, id).await?.ok_or(NotifyError::AnnouncementNotFound)?;
                if before.status != AnnouncementStatus::Draft {
                    return Err(NotifyError::conflict(
                        "announcement_not_draft",
                        "only a draft can be removed",
                    ));
                }
                let delete = Engine::of(txn.get_database_backend())
                    .statement("DELETE FROM announcements WHERE id = ?", [id.uuid().into()]);
                txn.execute_raw(delete).await?;
                self.record_announcement(txn, caller, "announcement.deleted", Some(&before), None).await
            })
            .await
    }

    async fn change_announcement(
        &self,
        caller: &Caller,
        id: AnnouncementId,
        expected: Option<i64>,
        action: &'static str,
        change: impl Fn(AnnouncementView) -> Result<AnnouncementView, NotifyError> + Clone,
    ) -> Result<AnnouncementView, NotifyError> {
        require(caller, Permission::AnnouncementsManage)?;
        self.db
            .in_txn(async |txn| {
                let before = rows::lock(txn, id).await?.ok_or(NotifyError::AnnouncementNotFound)?;
                if expected.is_some_and(|expected| expected != before.version) {
                    return Err(NotifyError::VersionMismatch);
                }
                let mut after = change(before.clone())?;
                after.version += 1;
                after.updated_at = self.ambient.now();
                rows::update(txn, &after).await?;
                self.record_announcement(txn, caller, action, Some(&before), Some(&after)).await?;
                Ok(after)
            })
            .await
    }

    async fn record_announcement(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        action: &'static str,
        before: Option<&AnnouncementView>,
        after: Option<&AnnouncementView>,
    ) -> Result<(), NotifyError> {
        let shown = |view: Option<&AnnouncementView>| {
            view.map_or(
                Json::Null,
                |view| json!({"status": view.status, "version": view.version, "fields": view.fields}),
            )
        };
        let record = audit::Entry {
            caller,
            action,
            subject_kind: "announcement",
            subject_id: after.or(before).map(|view| view.id.to_string()).unwrap_or_default(),
            before: shown(before),
            after: shown(after),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(())
    }
}
