//! The SQL of webhooks.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};

use super::envelope::Envelope;
use super::{ClaimedWebhook, WebhookState, WebhookTarget};
use crate::PROVIDER;

/// Which of the events are written down already.
pub(super) async fn known(
    txn: &DatabaseTransaction,
    events: &[Envelope],
) -> Result<HashSet<String>, StoreError> {
    let sql = format!(
        "SELECT event_id FROM webhook_events WHERE provider = ? AND event_id IN ({})",
        Engine::placeholders(events.len())
    );
    let ids = events.iter().map(|event| event.event_id.as_str().into());
    let values = std::iter::once(PROVIDER.into()).chain(ids);
    let rows = txn.query_all_raw(Engine::of(txn.get_database_backend()).statement(&sql, values)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "event_id")?)).collect()
}

/// Writes all of them in one statement; what another process wrote meanwhile stays as it is. The three engines have two
/// ways to say so, and both mean it for the primary key alone.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    events: &[&Envelope],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let engine = Engine::of(txn.get_database_backend());
    let unless_known = match engine {
        Engine::Sqlite | Engine::Postgres => "ON CONFLICT (provider, event_id) DO NOTHING",
        Engine::MariaDb => "ON DUPLICATE KEY UPDATE provider = webhook_events.provider",
    };
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)"; events.len()].join(", ");
    let sql = format!(
        "INSERT INTO webhook_events (provider, event_id, event_type, entity_kind, entity_id, refund_id, body_sha256, \
         state, attempts, unseen, next_at, received_at, finished_at) VALUES {rows} {unless_known}"
    );
    let values = events.iter().flat_map(|event| values(event, now));
    txn.execute_raw(engine.statement(&sql, values)).await?;
    Ok(())
}

/// An event that names nothing to fetch is over with its receipt.
fn values(event: &Envelope, now: DateTime<Utc>) -> [Value; 11] {
    let (kind, id) = match &event.target {
        Some(WebhookTarget::Payment(id)) => (Some("payment"), Some(id.as_str())),
        Some(WebhookTarget::Order(id)) => (Some("order"), Some(id.as_str())),
        None => (None, None),
    };
    let (state, next_at, finished_at) = match kind {
        Some(_) => (WebhookState::New, Some(now), None),
        None => (WebhookState::Ignored, None, Some(now)),
    };
    [
        PROVIDER.into(),
        event.event_id.as_str().into(),
        event.event_type.as_str().into(),
        kind.into(),
        id.into(),
        event.refund.as_deref().into(),
        event.body_sha256.as_str().into(),
        state.as_str().into(),
        next_at.into(),
        now.into(),
        finished_at.into(),
    ]
}

/// Takes due webhooks until the lease ends, each by one worker.
pub(super) async fn claim(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<ClaimedWebhook>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT event_id, event_type, entity_kind, entity_id, refund_id, attempts, unseen FROM webhook_events \
         WHERE next_at <= ? ORDER BY next_at LIMIT {limit}{}",
        engine.for_update_skip_locked()
    );
    let mut claimed = Vec::new();
    for row in txn.query_all_raw(engine.statement(&sql, [now.into()])).await? {
        let webhook = read(&row)?;
        let update = "UPDATE webhook_events SET attempts = attempts + 1, next_at = ? WHERE provider = ? AND event_id = ?";
        let values = [until.into(), PROVIDER.into(), webhook.event_id.as_str().into()];
        txn.execute_raw(engine.statement(update, values)).await?;
        claimed.push(webhook);
    }
    Ok(claimed)
}

fn read(row: &QueryResult) -> Result<ClaimedWebhook, StoreError> {
    let kind: Option<String> = row.try_get("", "entity_kind")?;
    let id: String = row.try_get("", "entity_id")?;
    let target = match kind.as_deref() {
        Some("payment") => WebhookTarget::Payment(id),
        Some("order") => WebhookTarget::Order(id),
        other => return Err(StoreError::Corrupt(format!("a webhook's entity is {other:?}"))),
    };
    let count = |column| row.try_get::<i32>("", column).map(|n| u32::try_from(n).unwrap_or_default());
    Ok(ClaimedWebhook {
        event_id: row.try_get("", "event_id")?,
        event_type: row.try_get("", "event_type")?,
        target,
        refund: row.try_get("", "refund_id")?,
        attempts: count("attempts")?.saturating_add(1),
        unseen: count("unseen")?,
    })
}

/// Moves a claimed webhook on, if the claim still holds: nobody has taken it since.
pub(super) async fn settle(
    txn: &DatabaseTransaction,
    webhook: &ClaimedWebhook,
    state: WebhookState,
    next_at: Option<DateTime<Utc>>,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let finished_at = next_at.is_none().then_some(now);
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE webhook_events SET state = ?, unseen = ?, next_at = ?, last_error = ?, finished_at = ? \
         WHERE provider = ? AND event_id = ? AND state = 'new' AND attempts = ?",
        [
            state.as_str().into(),
            i32::try_from(webhook.unseen).unwrap_or(i32::MAX).into(),
            next_at.into(),
            error.into(),
            finished_at.into(),
            PROVIDER.into(),
            webhook.event_id.as_str().into(),
            i32::try_from(webhook.attempts).unwrap_or(i32::MAX).into(),
        ],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Removes what was done or ignored before this moment.
pub(super) async fn forget_settled(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend()).statement(
        "DELETE FROM webhook_events WHERE state IN (?, ?) AND finished_at < ?",
        [WebhookState::Done.as_str().into(), WebhookState::Ignored.as_str().into(), before.into()],
    );
    Ok(txn.execute_raw(delete).await?.rows_affected())
}
