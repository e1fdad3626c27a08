//! The SQL of payments.

use chrono::{DateTime, Utc};
use kernel::{JournalId, PaymentId, PaymentOrderId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{PaymentOutcome, PaymentStatus};
use crate::{Charge, PROVIDER, ProviderPayment};

/// A payment as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PaymentRow {
    pub(crate) id: PaymentId,
    pub(crate) order: Option<PaymentOrderId>,
    pub(crate) user: Option<UserId>,
    pub(crate) provider_id: String,
    pub(crate) charge: Charge,
    pub(crate) status: PaymentStatus,
    pub(crate) method: Option<String>,
    pub(crate) fee: Option<i64>,
    pub(crate) tax: Option<i64>,
    pub(crate) refund_reserved: i64,
    pub(crate) refunded: i64,
    pub(crate) outcome: Option<PaymentOutcome>,
    pub(crate) created_at: DateTime<Utc>,
}

pub(super) const COLUMNS: &str = "p.id, p.order_id, p.user_id, p.provider_payment_id, p.amount, p.currency, p.status, \
                                  p.method, p.fee, p.tax, p.refund_reserved, p.refunded, p.outcome, p.created_at";

pub(super) fn read(row: &QueryResult) -> Result<PaymentRow, StoreError> {
    let outcome: Option<String> = row.try_get("", "outcome")?;
    Ok(PaymentRow {
        id: row.try_get::<Uuid>("", "id")?.into(),
        order: row.try_get::<Option<Uuid>>("", "order_id")?.map(Into::into),
        user: row.try_get::<Option<Uuid>>("", "user_id")?.map(Into::into),
        provider_id: row.try_get("", "provider_payment_id")?,
        charge: Charge { amount: row.try_get("", "amount")?, currency: row.try_get("", "currency")? },
        status: PaymentStatus::read(&row.try_get::<String>("", "status")?)?,
        method: row.try_get("", "method")?,
        fee: row.try_get("", "fee")?,
        tax: row.try_get("", "tax")?,
        refund_reserved: row.try_get("", "refund_reserved")?,
        refunded: row.try_get("", "refunded")?,
        outcome: outcome.as_deref().map(PaymentOutcome::read).transpose()?,
        created_at: row.try_get("", "created_at")?,
    })
}

/// A payment as it is first seen: nothing has become of it.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    id: PaymentId,
    seen: &ProviderPayment,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let begun = PaymentStatus::Created;
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO payments (id, provider, provider_payment_id, amount, currency, status, status_rank, \
         refund_reserved, refunded, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)",
        [
            id.uuid().into(),
            PROVIDER.into(),
            seen.id.as_str().into(),
            seen.charge.amount.into(),
            seen.charge.currency.as_str().into(),
            begun.as_str().into(),
            begun.rank().into(),
            now.into(),
            now.into(),
        ],
    );
    insert_if_absent(txn, insert).await
}

pub(super) async fn lock_by_provider_id(
    txn: &DatabaseTransaction,
    provider_id: &str,
) -> Result<Option<PaymentRow>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT {COLUMNS} FROM payments p WHERE p.provider = ? AND p.provider_payment_id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [PROVIDER.into(), provider_id.into()])).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn lock(txn: &DatabaseTransaction, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!("SELECT {COLUMNS} FROM payments p WHERE p.id = ?{}", engine.for_update());
    let row = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn by_id(
    db: &impl ConnectionTrait,
    id: PaymentId,
) -> Result<Option<PaymentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM payments p WHERE p.id = ?");
    let select = Engine::of(db.get_database_backend()).statement(&sql, [id.uuid().into()]);
    db.query_one_raw(select).await?.as_ref().map(read).transpose()
}

pub(super) async fn by_provider_id(
    db: &impl ConnectionTrait,
    provider_id: &str,
) -> Result<Option<PaymentRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM payments p WHERE p.provider = ? AND p.provider_payment_id = ?");
    let values = [crate::PROVIDER.into(), provider_id.into()];
    let select = Engine::of(db.get_database_backend()).statement(&sql, values);
    db.query_one_raw(select).await?.as_ref().map(read).transpose()
}

/// Writes a locked row back. The rank is compared once more: whatever happens, it does not fall.
pub(super) async fn write(
    txn: &DatabaseTransaction,
    payment: &PaymentRow,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE payments SET order_id = ?, user_id = ?, status = ?, status_rank = ?, method = ?, fee = ?, tax = ?, \
         refund_reserved = ?, refunded = ?, outcome = ?, updated_at = ? WHERE id = ? AND status_rank <= ?",
        [
            payment.order.map(PaymentOrderId::uuid).into(),
            payment.user.map(UserId::uuid).into(),
            payment.status.as_str().into(),
            payment.status.rank().into(),
            payment.method.as_deref().into(),
            payment.fee.into(),
            payment.tax.into(),
            payment.refund_reserved.into(),
            payment.refunded.into(),
            payment.outcome.map(PaymentOutcome::as_str).into(),
            now.into(),
            payment.id.uuid().into(),
            payment.status.rank().into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Takes a part of what is left of a payment with this outcome, in one guarded statement.
pub(crate) async fn reserve(
    txn: &DatabaseTransaction,
    id: PaymentId,
    amount: i64,
    outcome: PaymentOutcome,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE payments SET refund_reserved = refund_reserved + ?, updated_at = ? \
         WHERE id = ? AND outcome = ? AND refund_reserved + ? <= amount",
        [amount.into(), now.into(), id.uuid().into(), outcome.as_str().into(), amount.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Writes when a locked payment is next tried to be returned.
pub(crate) async fn set_next_return(
    txn: &DatabaseTransaction,
    id: PaymentId,
    next: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend())
        .statement("UPDATE payments SET next_return_at = ? WHERE id = ?", [next.into(), id.uuid().into()]);
    txn.execute_raw(update).await?;
    Ok(())
}

/// Payments that are to be returned again, locked; those that others hold are passed over.
pub(crate) async fn due_returns(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<PaymentId>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT id FROM payments WHERE next_return_at <= ? ORDER BY next_return_at LIMIT {limit}{}",
        engine.for_update_skip_locked()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [now.into()])).await?;
    rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
}

/// Notes which journal credited the payment; the first one stays.
pub(super) async fn set_journal(
    txn: &DatabaseTransaction,
    id: PaymentId,
    journal: JournalId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE payments SET credit_journal = ?, updated_at = ? \
         WHERE id = ? AND outcome = ? AND (credit_journal IS NULL OR credit_journal = ?)",
        [
            journal.uuid().into(),
            now.into(),
            id.uuid().into(),
            PaymentOutcome::Credited.as_str().into(),
            journal.uuid().into(),
        ],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Whether there is a row, and refunds of it: what a fetch need not or must ask for.
pub(super) async fn has_refunds(db: &impl ConnectionTrait, provider_id: &str) -> Result<bool, StoreError> {
    let select = Engine::of(db.get_database_backend()).statement(
        "SELECT r.id FROM refunds r JOIN payments p ON p.id = r.payment_id \
         WHERE p.provider = ? AND p.provider_payment_id = ? LIMIT 1",
        [PROVIDER.into(), provider_id.into()],
    );
    Ok(db.query_one_raw(select).await?.is_some())
}
