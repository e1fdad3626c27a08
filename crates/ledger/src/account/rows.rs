//! The SQL of wallets.

use chrono::{DateTime, Utc};
use kernel::{Money, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError, insert_if_absent};

use super::Balances;
use crate::journal::Change;

/// The wallet, or `None` when no journal and no lock has named it yet.
pub(crate) async fn find(
    conn: &impl ConnectionTrait,
    user: UserId,
    suffix: &str,
) -> Result<Option<Balances>, StoreError> {
    let sql = format!(
        "SELECT available, held, promo, earnings, debt, version, frozen FROM ledger_wallets WHERE user_id = ?{suffix}"
    );
    let select = Engine::of(conn.get_database_backend()).statement(&sql, [user.uuid().into()]);
    conn.query_one_raw(select).await?.as_ref().map(read).transpose()
}

/// Locks the wallet until the transaction ends; makes it where there is none.
pub(crate) async fn lock(
    txn: &DatabaseTransaction,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Balances, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    if let Some(wallet) = find(txn, user, engine.for_update()).await? {
        return Ok(wallet);
    }
    let insert = engine.statement(
        "INSERT INTO ledger_wallets (user_id, available, held, promo, earnings, debt, version, frozen, created_at) \
         VALUES (?, 0, 0, 0, 0, 0, 0, ?, ?)",
        [user.uuid().into(), false.into(), now.into()],
    );
    if insert_if_absent(txn, insert).await? {
        return Ok(Balances::EMPTY);
    }
    let wallet = find(txn, user, engine.for_update()).await?;
    wallet.ok_or_else(|| StoreError::Corrupt(format!("the wallet of {user} is there and is not")))
}

/// Writes the change to the locked wallet. The floors are CHECKs of the table; the version is compared too, so that
/// nothing is ever computed from a balance that somebody else has changed.
pub(crate) async fn update(
    txn: &DatabaseTransaction,
    user: UserId,
    change: &Change,
    version: i64,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE ledger_wallets SET available = available + ?, held = held + ?, promo = promo + ?, \
         earnings = earnings + ?, debt = debt + ?, version = version + 1 WHERE user_id = ? AND version = ?",
        [
            change.available.into(),
            change.held.into(),
            change.promo.into(),
            change.earnings.into(),
            change.debt.into(),
            user.uuid().into(),
            version.into(),
        ],
    );
    match txn.execute_raw(update).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt(format!("the wallet of {user} changed while it was locked"))),
    }
}

pub(super) fn read(row: &QueryResult) -> Result<Balances, StoreError> {
    let money = |column| Ok::<_, StoreError>(Money::inr(row.try_get("", column)?));
    Ok(Balances {
        available: money("available")?,
        held: money("held")?,
        promo: money("promo")?,
        earnings: money("earnings")?,
        debt: money("debt")?,
        version: row.try_get("", "version")?,
        frozen: row.try_get("", "frozen")?,
    })
}
