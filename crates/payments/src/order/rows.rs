//! The SQL of orders.

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, PaymentOrderId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{Order, OrderStatus};
use crate::PROVIDER;

pub(crate) const COLUMNS: &str = "o.id, o.user_id, o.provider_order_id, o.receipt, o.amount, o.status, o.version, \
                                  o.polls, o.failed_looks, o.created_at";

pub(crate) fn read(row: &QueryResult) -> Result<Order, StoreError> {
    Ok(Order {
        id: row.try_get::<Uuid>("", "id")?.into(),
        user: row.try_get::<Uuid>("", "user_id")?.into(),
        // The table takes rupees alone.
        amount: Money::inr(row.try_get("", "amount")?),
        receipt: row.try_get("", "receipt")?,
        provider_order_id: row.try_get("", "provider_order_id")?,
        status: OrderStatus::read(&row.try_get::<String>("", "status")?)?,
        version: row.try_get("", "version")?,
        polls: row.try_get("", "polls")?,
        failed_looks: row.try_get("", "failed_looks")?,
        created_at: row.try_get("", "created_at")?,
    })
}

pub(super) async fn insert(
    txn: &DatabaseTransaction,
    order: &Order,
    next_look: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO payment_orders (id, user_id, provider, provider_order_id, receipt, amount, currency, status, \
         version, polls, next_poll_at, created_at, updated_at) VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        [
            order.id.uuid().into(),
            order.user.uuid().into(),
            PROVIDER.into(),
            order.receipt.as_str().into(),
            order.amount.amount().into(),
            Currency::Inr.code().into(),
            order.status.as_str().into(),
            order.version.into(),
            next_look.into(),
            order.created_at.into(),
            order.created_at.into(),
        ],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// By one column, which must be unique.
async fn find(
    db: &impl ConnectionTrait,
    condition: &str,
    value: Value,
    lock: bool,
) -> Result<Option<Order>, StoreError> {
    let engine = Engine::of(db.get_database_backend());
    let lock = if lock { engine.for_update() } else { "" };
    let sql = format!("SELECT {COLUMNS} FROM payment_orders o WHERE o.provider = ? AND {condition}{lock}");
    let row = db.query_one_raw(engine.statement(&sql, [PROVIDER.into(), value])).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn by_id(
    db: &impl ConnectionTrait,
    id: PaymentOrderId,
) -> Result<Option<Order>, StoreError> {
    find(db, "o.id = ?", id.uuid().into(), false).await
}

pub(super) async fn by_provider_id(
    db: &impl ConnectionTrait,
    provider_id: &str,
) -> Result<Option<Order>, StoreError> {
    find(db, "o.provider_order_id = ?", provider_id.into(), false).await
}

pub(crate) async fn lock(txn: &DatabaseTransaction, id: PaymentOrderId) -> Result<Option<Order>, StoreError> {
    find(txn, "o.id = ?", id.uuid().into(), true).await
}

pub(crate) async fn lock_by_provider_id(
    txn: &DatabaseTransaction,
    provider_id: &str,
) -> Result<Option<Order>, StoreError> {
    find(txn, "o.provider_order_id = ?", provider_id.into(), true).await
}

pub(crate) async fn lock_by_receipt(
    txn: &DatabaseTransaction,
    receipt: &str,
) -> Result<Option<Order>, StoreError> {
    find(txn, "o.receipt = ?", receipt.into(), true).await
}

/// Gives an order its id at the provider, if it has none.
pub(crate) async fn set_created(
    txn: &DatabaseTransaction,
    id: PaymentOrderId,
    provider_id: &str,
    next_look: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE payment_orders SET provider_order_id = ?, status = ?, version = version + 1, next_poll_at = ?, \
         updated_at = ? WHERE id = ? AND provider_order_id IS NULL",
        [
            provider_id.into(),
            OrderStatus::Created.as_str().into(),
            next_look.into(),
            now.into(),
            id.uuid().into(),
        ],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// Moves an order from one of the states to another. One that failed is not looked after any more.
pub(crate) async fn set_status(
    txn: &DatabaseTransaction,
    id: PaymentOrderId,
    from: &[OrderStatus],
    to: OrderStatus,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let looks = if to == OrderStatus::Failed { ", next_poll_at = NULL" } else { "" };
    let sql = format!(
        "UPDATE payment_orders SET status = ?, version = version + 1, updated_at = ?{looks} \
         WHERE id = ? AND status IN ({})",
        Engine::placeholders(from.len())
    );
    let values: [Value; 3] = [to.as_str().into(), now.into(), id.uuid().into()];
    let values = values.into_iter().chain(from.iter().map(|status| status.as_str().into()));
    let update = Engine::of(txn.get_database_backend()).statement(&sql, values);
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Orders whose time to be looked after has come, locked; those that others hold are passed over.
pub(super) async fn due(
    txn: &DatabaseTransaction,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Order>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT {COLUMNS} FROM payment_orders o WHERE o.next_poll_at <= ? ORDER BY o.next_poll_at LIMIT {limit}{}",
        engine.for_update_skip_locked()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [now.into()])).await?;
    rows.iter().map(read).collect()
}

/// Writes how often a locked order was looked after, how often in vain, and when it is next.
pub(crate) async fn set_looks(
    txn: &DatabaseTransaction,
    order: &Order,
    next_look: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE payment_orders SET polls = ?, failed_looks = ?, next_poll_at = ? WHERE id = ?",
        [order.polls.into(), order.failed_looks.into(), next_look.into(), order.id.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}

/// The condition and value that a list of one user's orders begins with.
pub(super) fn of_user(user: UserId) -> (String, Vec<Value>) {
    ("o.user_id = ?".to_owned(), vec![user.uuid().into()])
}
