//! What is left over: deliveries whose job was lost, and rows that are old.

use chrono::{DateTime, Utc};
use kernel::{DeliveryId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::Lane;
use crate::{Notify, NotifyError, clock, inbox};

impl Notify {
    /// Deliveries that should have been sent or settled before the moment, with their lanes, the longest overdue first.
    /// Claiming each does what is left to do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_deliveries(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(DeliveryId, Lane)>, NotifyError> {
        let sql = format!(
            "SELECT id, kind, channel FROM notification_deliveries WHERE due_at < ? ORDER BY due_at LIMIT {limit}"
        );
        let rows = self.db.reader()?.query_all_raw(self.db.engine().statement(&sql, [before.into()])).await?;
        rows.iter()
            .map(|row| {
                let (kind, channel) =
                    (row.try_get::<String>("", "kind")?, row.try_get::<String>("", "channel")?);
                let lane = kind
                    .parse()
                    .ok()
                    .zip(channel.parse().ok())
                    .map(|(kind, channel)| Lane::of(kind, channel));
                // Of a kind that is gone, there is nothing to send: any lane finds that out.
                Ok((row.try_get::<Uuid>("", "id")?.into(), lane.unwrap_or(Lane::Push)))
            })
            .collect()
    }

    /// Removes everything that is kept of somebody, in the transaction that deletes their account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_person_in_txn(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
    ) -> Result<(), NotifyError> {
        for table in [
            "notification_slots",
            "notifications",
            "notification_events",
            "notification_deliveries",
            "notification_counters",
            "notification_preferences",
            "notification_kind_preferences",
            "notification_quiet_hours",
            "push_devices",
            "announcement_dismissals",
        ] {
            let sql = format!("DELETE FROM {table} WHERE user_id = ?");
            txn.execute_raw(self.db.engine().statement(&sql, [user.uuid().into()])).await?;
        }
        Ok(())
    }

    /// Removes what came before the moment: notifications, finished deliveries, counters, and which events were told.
    /// Gives how many rows that were.
    ///
    /// An event that is delivered once more after that is told again, so the moment is longer ago than any event is
    /// kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_notifications_in_txn(
        &self,
        txn: &DatabaseTransaction,
        before: DateTime<Utc>,
    ) -> Result<u64, NotifyError> {
        let mut gone = 0;
        for (table, column) in [
            ("notifications", "created_at"),
            ("notification_events", "seen_at"),
            ("notification_slots", "opened_at"),
        ] {
            gone += inbox::forget(txn, table, column, before.into()).await?;
        }
        let finished = "due_at IS NULL AND created_at";
        gone += inbox::forget(txn, "notification_deliveries", finished, before.into()).await?;
        let day = clock::day(before).to_string();
        gone += inbox::forget(txn, "notification_counters", "day", day.into()).await?;
        Ok(gone)
    }
}
