//! Looking into the inbox.

use kernel::{NotificationId, Page, Paging, TypedId, UserId};
use sea_orm::{ConnectionTrait, Value};
use serde::{Deserialize, Serialize};

use super::{NotificationFilter, NotificationView, rows};
use crate::{Category, Notify, NotifyError};

/// Where the list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    id: NotificationId,
}

impl Notify {
    /// Somebody's notifications, newest first.
    ///
    /// # Errors
    /// When the cursor is not of this list with this filter, or the database fails.
    pub async fn notifications(
        &self,
        user: UserId,
        filter: NotificationFilter,
        paging: &Paging,
    ) -> Result<Page<NotificationView>, NotifyError> {
        let category = filter.category.map_or("", Category::as_str);
        let scope = format!("notifications:{user}:{}:{category}", filter.unread);
        let reader = self.db.reader()?;
        let mut condition = "user_id = ?".to_owned();
        let mut values: Vec<Value> = vec![user.uuid().into()];
        if filter.unread {
            condition += " AND read_at IS NULL";
        }
        if let Some(category) = filter.category {
            condition += " AND category = ?";
            values.push(category.as_str().into());
        }
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS n FROM notifications WHERE {condition}");
                let row = reader.query_one_raw(self.db.engine().statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
                let found = rows::select(reader, &condition, values, *limit, paging.offset()).await?;
                Ok(Page::numbered(found, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                if let Some(cursor) = cursor {
                    let at: Position = self.config.cursors.open(&scope, cursor)?;
                    condition += " AND id < ?";
                    values.push(at.id.uuid().into());
                }
                let found = rows::select(reader, &condition, values, limit + 1, 0).await?;
                Ok(Page::feed(found, *limit, |last| {
                    self.config.cursors.seal(&scope, &Position { id: last.id })
                }))
            }
        }
    }

    /// One notification of somebody's.
    ///
    /// # Errors
    /// [`NotifyError::NotificationNotFound`], also when it is somebody else's.
    pub async fn notification(
        &self,
        user: UserId,
        id: NotificationId,
    ) -> Result<NotificationView, NotifyError> {
        let values = vec![id.uuid().into(), user.uuid().into()];
        let found = rows::select(self.db.reader()?, "id = ? AND user_id = ?", values, 1, 0).await?;
        found.into_iter().next().ok_or(NotifyError::NotificationNotFound)
    }

    /// How many of somebody's notifications were not read. One statement over an index of unread ones alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unread_notifications(&self, user: UserId) -> Result<u64, NotifyError> {
        let select = self.db.engine().statement(
            "SELECT COUNT(*) AS n FROM notifications WHERE user_id = ? AND read_at IS NULL",
            [user.uuid().into()],
        );
        let row = self.db.reader()?.query_one_raw(select).await?;
        let count: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
