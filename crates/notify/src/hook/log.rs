//! An endpoint's log: what was sent, and once more by hand.

use chrono::{DateTime, Utc};
use kernel::{Caller, HookDeliveryId, HookId, Page, Paging, Permission, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Engine, audit};
use uuid::Uuid;

use super::{HookDeliveryView, PlannedHook, rows};
use crate::error::require;
use crate::{Notify, NotifyError, inbox};

/// Where the list was left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position {
    id: HookDeliveryId,
}

impl Notify {
    /// An endpoint's webhooks, newest first.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookNotFound`], or when the cursor is not of this list.
    pub async fn hook_deliveries(
        &self,
        caller: &Caller,
        endpoint: HookId,
        paging: &Paging,
    ) -> Result<Page<HookDeliveryView>, NotifyError> {
        self.hook(caller, endpoint).await?;
        let reader = self.db.reader()?;
        let mut condition = "endpoint_id = ?".to_owned();
        let mut values: Vec<Value> = vec![endpoint.uuid().into()];
        match paging {
            Paging::Numbered { page, limit } => {
                let count = format!("SELECT COUNT(*) AS n FROM hook_deliveries WHERE {condition}");
                let row = reader.query_one_raw(self.db.engine().statement(&count, values.clone())).await?;
                let total: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
                let found = rows::deliveries(reader, &condition, values, *limit, paging.offset()).await?;
                Ok(Page::numbered(found, *page, *limit, u64::try_from(total).unwrap_or_default()))
            }
            Paging::After { cursor, limit } => {
                let scope = format!("hook-deliveries:{endpoint}");
                if let Some(cursor) = cursor {
                    let at: Position = self.config.cursors.open(&scope, cursor)?;
                    condition += " AND id < ?";
                    values.push(at.id.uuid().into());
                }
                let found = rows::deliveries(reader, &condition, values, limit + 1, 0).await?;
                Ok(Page::feed(found, *limit, |last| {
                    self.config.cursors.seal(&scope, &Position { id: last.id })
                }))
            }
        }
    }

    /// Sends a webhook once more with all its tries, under the same `webhook-id`, in the caller's transaction, which
    /// enqueues the job for it.
    ///
    /// # Errors
    /// [`NotifyError::Forbidden`], [`NotifyError::HookDeliveryNotFound`]; a conflict while it is under way.
    pub async fn resend_hook_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        id: HookDeliveryId,
    ) -> Result<PlannedHook, NotifyError> {
        require(caller, Permission::WebhooksManage)?;
        let now = self.ambient.now();
        let row = rows::lock_delivery(txn, id).await?.ok_or(NotifyError::HookDeliveryNotFound)?;
        if row.due_at.is_some() {
            return Err(NotifyError::conflict("webhook_under_way", "this webhook is under way already"));
        }
        let update = Engine::of(txn.get_database_backend()).statement(
            "UPDATE hook_deliveries SET status = 'queued', attempts = 0, due_at = ?, updated_at = ? WHERE id = ?",
            [now.into(), now.into(), id.uuid().into()],
        );
        txn.execute_raw(update).await?;
        let record = audit::Entry {
            caller,
            action: "hook.resent",
            subject_kind: "hook",
            subject_id: row.endpoint.to_string(),
            before: json!({"delivery": id, "status": row.status}),
            after: json!({"delivery": id, "status": "queued"}),
            reason: None,
        };
        audit::append_in_txn(txn, &self.ambient, record).await?;
        Ok(PlannedHook { id, due_at: now })
    }

    /// Webhooks that should have been sent or settled before the moment, the longest overdue first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_hooks(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<HookDeliveryId>, NotifyError> {
        let sql = format!("SELECT id FROM hook_deliveries WHERE due_at < ? ORDER BY due_at LIMIT {limit}");
        let rows = self.db.reader()?.query_all_raw(self.db.engine().statement(&sql, [before.into()])).await?;
        rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
    }

    /// Removes webhooks that ended and came before the moment; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_hooks_in_txn(
        &self,
        txn: &DatabaseTransaction,
        before: DateTime<Utc>,
    ) -> Result<u64, NotifyError> {
        Ok(inbox::forget(txn, "hook_deliveries", "due_at IS NULL AND created_at", before.into()).await?)
    }
}
