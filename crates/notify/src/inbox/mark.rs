//! What people do with their notifications. Each is one statement that names the owner, so somebody else's is not
//! found; and each may be repeated, the first time counts.

use kernel::{NotificationId, TypedId, UserId};
use sea_orm::{ConnectionTrait, Value};
use store::StoreError;

use crate::{Notify, NotifyError};

impl Notify {
    /// Marks one as read.
    ///
    /// # Errors
    /// [`NotifyError::NotificationNotFound`], also when it is somebody else's.
    pub async fn mark_notification_read(&self, user: UserId, id: NotificationId) -> Result<(), NotifyError> {
        let now = self.ambient.now();
        let sql = "UPDATE notifications SET read_at = COALESCE(read_at, ?) WHERE id = ? AND user_id = ?";
        self.on_one(sql, [now.into(), id.uuid().into(), user.uuid().into()]).await
    }

    /// Marks one as followed, and so as read.
    ///
    /// # Errors
    /// [`NotifyError::NotificationNotFound`], also when it is somebody else's.
    pub async fn mark_notification_clicked(
        &self,
        user: UserId,
        id: NotificationId,
    ) -> Result<(), NotifyError> {
        let now = self.ambient.now();
        let sql = "UPDATE notifications SET read_at = COALESCE(read_at, ?), clicked_at = COALESCE(clicked_at, ?) \
                   WHERE id = ? AND user_id = ?";
        self.on_one(sql, [now.into(), now.into(), id.uuid().into(), user.uuid().into()]).await
    }

    /// Marks everything as read, up to the newest that the client has seen, so that what came since stays unread.
    /// Gives how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_all_notifications_read(
        &self,
        user: UserId,
        up_to: Option<NotificationId>,
    ) -> Result<u64, NotifyError> {
        let now = self.ambient.now();
        let mut sql = "UPDATE notifications SET read_at = ? WHERE user_id = ? AND read_at IS NULL".to_owned();
        let mut values: Vec<Value> = vec![now.into(), user.uuid().into()];
        if let Some(newest) = up_to {
            sql += " AND id <= ?";
            values.push(newest.uuid().into());
        }
        Ok(self.write_one(&sql, values).await?)
    }

    /// Deletes one. Its event does not bring it back.
    ///
    /// # Errors
    /// [`NotifyError::NotificationNotFound`], also when it is somebody else's.
    pub async fn delete_notification(&self, user: UserId, id: NotificationId) -> Result<(), NotifyError> {
        let sql = "DELETE FROM notifications WHERE id = ? AND user_id = ?";
        self.on_one(sql, [id.uuid().into(), user.uuid().into()]).await
    }

    async fn on_one<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<(), NotifyError> {
        match self.write_one(sql, values.to_vec()).await? {
            0 => Err(NotifyError::NotificationNotFound),
            _ => Ok(()),
        }
    }

    /// Runs one statement in a transaction of its own; gives how many rows it hit.
    pub(crate) async fn write_one(&self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let statement = self.db.engine().statement(sql, values);
        self.db
            .in_txn(async |txn| {
                Ok::<_, StoreError>(txn.execute_raw(statement.clone()).await?.rows_affected())
            })
            .await
    }
}
