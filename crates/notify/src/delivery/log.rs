//! Staff's log of deliveries, and the second chance of dead ones.

use chrono::{DateTime, Utc};
use kernel::{Caller, DeliveryId, Page, Paging, Permission, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Engine, audit};

use super::{DeliveryStatus, DeliveryView, Lane, PlannedDelivery, rows};
use crate::error::require;
use crate::{Channel, Kind, Notify, NotifyError};

/// Which deliveries to list; what is `None` does not matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only this person's.
    pub user: Option<UserId>,
    /// Only those by this way.
    pub channel: Option<Channel>,
    /// Only those that are this far.
    pub status: Option<DeliveryStatus>,
    /// Only those about this.
    pub kind: Option<Kind>,
    /// Only those planned from then on.
    pub since: Option<DateTime<Utc>>,
}

/// Where the list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    id: DeliveryId,
}

impl DeliveryFilter {
    fn scope(&self) -> String {
        format!(
            "deliveries:{}:{}:{}:{}:{}",
            self.user.map_or_else(String::new, |user| user.to_string()),
            self.channel.map_or("", Channel::as_str),
            self.status.map_or("", DeliveryStatus::as_str),
            self.kind.map_or("", Kind::as_str),
            self.since.map_or(0, |since| since.timestamp_micros()),
        )
    }

    fn condition(&self) -> (String, Vec<Value>) {
        let mut parts: Vec<&str> = vec!["1 = 1"];
        let mut values: Vec<Value> = Vec::new();
        let mut with = |part, value: Option<Value>| {
            if let Some(value) = value {
                parts.push(part);
                values.push(value);
            }
        };
        with("user_id = ?", self.user.map(|user| user.uuid().into()));
        with("channel = ?", self.channel.map(|channel| channel.as_str().into()));
        with("status = ?", self.status.map(|status| status.as_str().into()));
        with("kind = ?", self.kind.map(|kind| kind.as_str().into()));
        with("created_at >= ?", self.since.map(Into::into));
        (parts.join(" AND "), values)
    }
}

impl Notify {
    /// Deliveries, newest first.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], or when the cursor is not of this list with this filter.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        filter: &DeliveryFilter,
        paging: &Paging,
    ) -> Result<Page<DeliveryView>, NotifyError> {
        require(caller, Permission::DeliveriesManage)?;
        let reader = self.db.reader()?;
        let (mut condition, mut values) = filter.condition();
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS n FROM notification_deliveries WHERE {condition}");
                let row = reader.query_one_raw(self.db.engine().statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
                let found = rows::select(reader, &condition, values, *limit, paging.offset()).await?;
                Ok(Page::numbered(found, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                let scope = filter.scope();
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

    /// One delivery.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::DeliveryNotFound`].
    pub async fn delivery(&self, caller: &Caller, id: DeliveryId) -> Result<DeliveryView, NotifyError> {
        require(caller, Permission::DeliveriesManage)?;
        let found = rows::select(self.db.reader()?, "id = ?", vec![id.uuid().into()], 1, 0).await?;
        found.into_iter().next().ok_or(NotifyError::DeliveryNotFound)
    }

    /// Gives a dead delivery all its tries anew, in the caller's transaction, which enqueues the job for it.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::DeliveryNotFound`]; a conflict when it is not dead: what may have been sent is not sent again.
    pub async fn retry_delivery_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        id: DeliveryId,
    ) -> Result<PlannedDelivery, NotifyError> {
        require(caller, Permission::DeliveriesManage)?;
        let now = self.ambient.now();
        let row = rows::lock(txn, id).await?.ok_or(NotifyError::DeliveryNotFound)?;
        if row.status != DeliveryStatus::Dead {
            return Err(NotifyError::conflict(
                "delivery_not_dead",
                "only a delivery that was given up can be sent after all",
            ));
        }
        // As if it were planned now: one that is too old would die at once.
        let revive = Engine::of(txn.get_database_backend()).statement(
            "UPDATE notification_deliveries SET status = 'queued', reason = NULL, attempts = 0, due_at = ?, \
             updated_at = ? WHERE id = ?",
            [now.into(), now.into(), id.uuid().into()],
        );
        txn.execute_raw(revive).await?;
        let record = audit::Entry {
            caller,
            action: "delivery.retried",
            subject_kind: "delivery",
            subject_id: id.to_string(),
            before: json!({"status": row.status, "attempts": row.attempts}),
            after: json!({"status": DeliveryStatus::Queued, "attempts": 0}),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        let lane = row.kind.map_or(Lane::Push, |kind| Lane::of(kind, row.channel));
        Ok(PlannedDelivery { id, channel: row.channel, lane, due_at: now })
    }
}
