//! The SQL of refunds.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{HoldId, PaymentId, RefundId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{Refund, RefundOrigin, RefundSpeed, RefundStatus, rules};
use crate::Charge;

pub(super) const COLUMNS: &str = "r.id, r.payment_id, p.provider_payment_id, p.user_id, r.provider_refund_id, r.amount, \
                                  p.currency, r.origin, r.status, r.speed, r.reason, r.requested_by, r.hold_id, \
                                  r.version, r.polls, r.idem_key, r.created_at, r.updated_at";
pub(super) const FROM: &str = "refunds r JOIN payments p ON p.id = r.payment_id";

pub(super) fn read(row: &QueryResult) -> Result<Refund, StoreError> {
    Ok(Refund {
        id: row.try_get::<Uuid>("", "id")?.into(),
        payment: row.try_get::<Uuid>("", "payment_id")?.into(),
        provider_payment_id: row.try_get("", "provider_payment_id")?,
        user: row.try_get::<Option<Uuid>>("", "user_id")?.map(Into::into),
        provider_refund_id: row.try_get("", "provider_refund_id")?,
        amount: Charge { amount: row.try_get("", "amount")?, currency: row.try_get("", "currency")? },
        origin: RefundOrigin::read(&row.try_get::<String>("", "origin")?)?,
        status: RefundStatus::read(&row.try_get::<String>("", "status")?)?,
        speed: RefundSpeed::read(&row.try_get::<String>("", "speed")?)?,
        reason: row.try_get("", "reason")?,
        requested_by: row.try_get::<Option<Uuid>>("", "requested_by")?.map(Into::into),
        hold: row.try_get::<Option<Uuid>>("", "hold_id")?.map(Into::into),
        version: row.try_get("", "version")?,
        polls: row.try_get("", "polls")?,
        idem_key: row.try_get("", "idem_key")?,
        created_at: row.try_get("", "created_at")?,
        updated_at: row.try_get("", "updated_at")?,
    })
}

/// Writes a new refund; one that has not ended is looked after in ten minutes.
pub(crate) async fn insert(txn: &DatabaseTransaction, refund: &Refund) -> Result<(), StoreError> {
    let next_look = (!refund.status.is_final()).then(|| refund.created_at + rules::pause(refund.polls));
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO refunds (id, payment_id, provider_refund_id, idem_key, amount, origin, status, speed, reason, \
         requested_by, hold_id, version, polls, next_poll_at, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            refund.id.uuid().into(),
            refund.payment.uuid().into(),
            refund.provider_refund_id.as_deref().into(),
            refund.idem_key.as_str().into(),
            refund.amount.amount.into(),
            refund.origin.as_str().into(),
            refund.status.as_str().into(),
            refund.speed.as_str().into(),
            refund.reason.as_deref().into(),
            refund.requested_by.map(UserId::uuid).into(),
            refund.hold.map(HoldId::uuid).into(),
            refund.version.into(),
            refund.polls.into(),
            next_look.into(),
            refund.created_at.into(),
            refund.updated_at.into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// Writes a locked refund back. What has ended is not looked after, and never changes its end.
pub(crate) async fn write(txn: &DatabaseTransaction, refund: &Refund) -> Result<(), StoreError> {
    let looks = if refund.status.is_final() { ", next_poll_at = NULL" } else { "" };
    let sql = format!(
        "UPDATE refunds SET provider_refund_id = ?, status = ?, version = ?, updated_at = ?{looks} \
         WHERE id = ? AND (status NOT IN ('processed', 'failed') OR status = ?)"
    );
    let update = Engine::of(txn.get_database_backend()).statement(
        &sql,
        [
            refund.provider_refund_id.as_deref().into(),
            refund.status.as_str().into(),
            refund.version.into(),
            refund.updated_at.into(),
            refund.id.uuid().into(),
            refund.status.as_str().into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// A payment's refunds, oldest first.
pub(crate) async fn of_payment(
    db: &impl ConnectionTrait,
    payment: PaymentId,
) -> Result<Vec<Refund>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE r.payment_id = ? ORDER BY r.id");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [payment.uuid().into()]);
    db.query_all_raw(select).await?.iter().map(read).collect()
}

/// How many returns of a payment have failed.
pub(super) async fn failed_returns(db: &impl ConnectionTrait, payment: PaymentId) -> Result<i64, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT COUNT(*) AS n FROM refunds WHERE payment_id = ? AND origin = 'provider' AND status = 'failed'",
        [payment.uuid().into()],
    );
    let row = db.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}

pub(super) async fn by_id(db: &impl ConnectionTrait, id: RefundId) -> Result<Option<Refund>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE r.id = ?");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [id.uuid().into()]);
    db.query_one_raw(select).await?.as_ref().map(read).transpose()
}

/// Says what a refund is held with, once.
pub(super) async fn set_hold(
    txn: &DatabaseTransaction,
    id: RefundId,
    hold: HoldId,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE refunds SET hold_id = ? WHERE id = ? AND origin = 'app' AND (hold_id IS NULL OR hold_id = ?)",
        [hold.uuid().into(), id.uuid().into(), hold.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Moves a refund that the provider is not known to have, if it still has this version: each goes to one alone. One that
/// has ended is not looked after.
pub(crate) async fn move_from(
    txn: &DatabaseTransaction,
    id: RefundId,
    version: i64,
    to: RefundStatus,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let looks = if to.is_final() { ", next_poll_at = NULL" } else { "" };
    let sql = format!(
        "UPDATE refunds SET status = ?, version = version + 1, updated_at = ?{looks} WHERE id = ? AND version = ? \
         AND status IN ('requested', 'submitting', 'unknown')"
    );
    let update = Engine::of(txn.get_database_backend())
        .statement(&sql, [to.as_str().into(), now.into(), id.uuid().into(), version.into()]);
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Refunds whose time to be looked after has come, each taken by setting when it is next.
pub(super) async fn take_due(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    limit: u32,
    pause: fn(i32) -> TimeDelta,
) -> Result<Vec<Refund>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id, polls FROM refunds WHERE next_poll_at <= ? ORDER BY next_poll_at LIMIT {limit}{}",
        engine.for_update_skip_locked()
    );
    let mut due = Vec::new();
    for row in txn.query_all_raw(engine.statement(&sql, [now.into()])).await? {
        let id: Uuid = row.try_get("", "id")?;
        let looks = row.try_get::<i32>("", "polls")?.saturating_add(1);
        let next_look = now + pause(looks);
        let update =
            "UPDATE refunds SET polls = ?, next_poll_at = ? WHERE id = ? AND next_poll_at IS NOT NULL";
        txn.execute_raw(engine.statement(update, [looks.into(), next_look.into(), id.into()])).await?;
        due.extend(by_id(txn, id.into()).await?);
    }
    Ok(due)
}
