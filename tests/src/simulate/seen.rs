//! What stands in the database, read with statements of the simulator's own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{BoostId, PaymentId, TypedId, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{Database, IdempotencyKey, StoredAnswer};
use uuid::Uuid;

/// An account by its sort and, if it is a user's, the user.
pub(super) type AccountName = (String, Option<Uuid>);

/// A journal as what it does to accounts.
#[derive(Debug, Clone)]
pub(super) struct SeenJournal {
    /// Where the next look begins.
    pub(super) row: i64,
    pub(super) key: String,
    pub(super) kind: String,
    pub(super) reference: String,
    /// What each account gains.
    pub(super) gains: BTreeMap<AccountName, i64>,
}

/// A user's five balances: available, held, promo, earnings, debt.
pub(super) type Purses = [i64; 5];

/// A payment's row.
#[derive(Debug, Clone)]
pub(super) struct SeenPayment {
    pub(super) id: PaymentId,
    pub(super) provider_id: String,
    pub(super) outcome: Option<String>,
    pub(super) reserved: i64,
    pub(super) refunded: i64,
    pub(super) has_credit_journal: bool,
}

/// An order's row.
#[derive(Debug, Clone)]
pub(super) struct SeenOrder {
    pub(super) id: Uuid,
    pub(super) user: UserId,
    pub(super) amount: i64,
    pub(super) status: String,
    pub(super) provider_id: Option<String>,
}

/// A boost's row.
#[derive(Debug, Clone)]
pub(super) struct SeenBoost {
    pub(super) id: BoostId,
    pub(super) status: String,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) ends_at: DateTime<Utc>,
    pub(super) refunded: i64,
}

/// What is known of an idempotency key.
#[derive(Debug, Clone)]
pub(super) struct SeenKey {
    pub(super) fingerprint: String,
    pub(super) answer: Option<StoredAnswer>,
    pub(super) lease_until: Option<DateTime<Utc>>,
    pub(super) has_intent: bool,
    pub(super) expires_at: DateTime<Utc>,
}

async fn rows(
    db: &Database,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> anyhow::Result<Vec<QueryResult>> {
    Ok(db.reader()?.query_all_raw(db.engine().statement(sql, values)).await?)
}

/// The journals that were written after a row.
pub(super) async fn journals(db: &Database, after: i64) -> anyhow::Result<Vec<SeenJournal>> {
    let sql = "SELECT j.rowid AS at, j.idem_key, j.kind, j.ref_id, p.from_kind, p.from_user, p.to_kind, \
               p.to_user, p.amount FROM ledger_journals j JOIN ledger_postings p ON p.journal_id = j.id \
               WHERE j.rowid > ? ORDER BY j.rowid, p.seq";
    let mut journals: Vec<SeenJournal> = Vec::new();
    for row in rows(db, sql, [after.into()]).await? {
        let at: i64 = row.try_get("", "at")?;
        if journals.last().is_none_or(|last| last.row != at) {
            journals.push(SeenJournal {
                row: at,
                key: row.try_get("", "idem_key")?,
                kind: row.try_get("", "kind")?,
                reference: row.try_get("", "ref_id")?,
                gains: BTreeMap::new(),
            });
        }
        let amount: i64 = row.try_get("", "amount")?;
        let from = (row.try_get("", "from_kind")?, row.try_get("", "from_user")?);
        let to = (row.try_get("", "to_kind")?, row.try_get("", "to_user")?);
        if let Some(journal) = journals.last_mut() {
            *journal.gains.entry(from).or_default() -= amount;
            *journal.gains.entry(to).or_default() += amount;
        }
    }
    journals.iter_mut().for_each(|journal| journal.gains.retain(|_, gain| *gain != 0));
    Ok(journals)
}

/// Every wallet.
pub(super) async fn wallets(db: &Database) -> anyhow::Result<BTreeMap<UserId, Purses>> {
    let sql = "SELECT user_id, available, held, promo, earnings, debt FROM ledger_wallets";
    let read = |row: &QueryResult| -> anyhow::Result<(UserId, Purses)> {
        let user: Uuid = row.try_get("", "user_id")?;
        let purses = [
            row.try_get("", "available")?,
            row.try_get("", "held")?,
            row.try_get("", "promo")?,
            row.try_get("", "earnings")?,
            row.try_get("", "debt")?,
        ];
        Ok((user.into(), purses))
    };
    rows(db, sql, []).await?.iter().map(read).collect()
}

/// Every house account that is not 0: what is stored and what waits to be folded.
pub(super) async fn house(db: &Database) -> anyhow::Result<BTreeMap<String, i64>> {
    let sql = "SELECT kind, SUM(amount) AS total FROM (SELECT kind, balance AS amount FROM ledger_accounts \
               UNION ALL SELECT kind, amount FROM ledger_deltas) GROUP BY kind";
    let mut house = BTreeMap::new();
    for row in rows(db, sql, []).await? {
        let total: i64 = row.try_get("", "total")?;
        if total != 0 {
            house.insert(row.try_get("", "kind")?, total);
        }
    }
    Ok(house)
}

/// What is held by open holds, by user.
pub(super) async fn open_holds(db: &Database) -> anyhow::Result<BTreeMap<UserId, i64>> {
    let sql = "SELECT user_id, SUM(amount) AS total FROM ledger_holds WHERE status = 'open' GROUP BY user_id";
    let read = |row: &QueryResult| -> anyhow::Result<(UserId, i64)> {
        let user: Uuid = row.try_get("", "user_id")?;
        Ok((user.into(), row.try_get("", "total")?))
    };
    rows(db, sql, []).await?.iter().map(read).collect()
}

/// Every payment.
pub(super) async fn payments(db: &Database) -> anyhow::Result<Vec<SeenPayment>> {
    let sql = "SELECT id, provider_payment_id, outcome, refund_reserved, refunded, \
               credit_journal IS NOT NULL AS has_credit_journal FROM payments ORDER BY id";
    let read = |row: &QueryResult| -> anyhow::Result<SeenPayment> {
        let id: Uuid = row.try_get("", "id")?;
        Ok(SeenPayment {
            id: id.into(),
            provider_id: row.try_get("", "provider_payment_id")?,
            outcome: row.try_get("", "outcome")?,
            reserved: row.try_get("", "refund_reserved")?,
            refunded: row.try_get("", "refunded")?,
            has_credit_journal: row.try_get("", "has_credit_journal")?,
        })
    };
    rows(db, sql, []).await?.iter().map(read).collect()
}

/// Every order.
pub(super) async fn orders(db: &Database) -> anyhow::Result<Vec<SeenOrder>> {
    let sql = "SELECT id, user_id, amount, status, provider_order_id FROM payment_orders ORDER BY id";
    let read = |row: &QueryResult| -> anyhow::Result<SeenOrder> {
        let user: Uuid = row.try_get("", "user_id")?;
        Ok(SeenOrder {
            id: row.try_get("", "id")?,
            user: user.into(),
            amount: row.try_get("", "amount")?,
            status: row.try_get("", "status")?,
            provider_id: row.try_get("", "provider_order_id")?,
        })
    };
    rows(db, sql, []).await?.iter().map(read).collect()
}

/// Every boost.
pub(super) async fn boosts(db: &Database) -> anyhow::Result<Vec<SeenBoost>> {
    let sql = "SELECT id, status, starts_at, ends_at, refunded FROM boosts ORDER BY id";
    let read = |row: &QueryResult| -> anyhow::Result<SeenBoost> {
        let id: Uuid = row.try_get("", "id")?;
        Ok(SeenBoost {
            id: id.into(),
            status: row.try_get("", "status")?,
            starts_at: row.try_get("", "starts_at")?,
            ends_at: row.try_get("", "ends_at")?,
            refunded: row.try_get("", "refunded")?,
        })
    };
    rows(db, sql, []).await?.iter().map(read).collect()
}

/// What is known of an idempotency key.
pub(super) async fn key(db: &Database, key: &IdempotencyKey) -> anyhow::Result<Option<SeenKey>> {
    let sql = "SELECT fingerprint, status, body, lease_until, recovery_point, expires_at FROM idempotency_keys \
               WHERE scope = ? AND idem_key = ?";
    let found = rows(db, sql, [key.scope.as_str().into(), key.key.as_str().into()]).await?;
    let Some(row) = found.first() else { return Ok(None) };
    let status: Option<i32> = row.try_get("", "status")?;
    let body: Option<String> = row.try_get("", "body")?;
    let answer =
        status.zip(body).map(|(status, body)| StoredAnswer { status: status.try_into().unwrap_or(0), body });
    let intent: Option<String> = row.try_get("", "recovery_point")?;
    Ok(Some(SeenKey {
        fingerprint: row.try_get("", "fingerprint")?,
        answer,
        lease_until: row.try_get("", "lease_until")?,
        has_intent: intent.is_some(),
        expires_at: row.try_get("", "expires_at")?,
    }))
}

/// How many rows a table has that meet a condition.
pub(super) async fn count(db: &Database, table: &str, condition: &str) -> anyhow::Result<i64> {
    let found = rows(db, &format!("SELECT COUNT(*) AS n FROM {table} WHERE {condition}"), []).await?;
    Ok(found.first().map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
}

/// Writes into a wallet past the ledger: what must never be done, and must be found when it is.
pub(super) async fn tamper_with_wallet(db: &Database, user: UserId) -> anyhow::Result<()> {
    let sql = "UPDATE ledger_wallets SET available = available + 100 WHERE user_id = ?";
    db.schema_connection().execute_raw(db.engine().statement(sql, [user.uuid().into()])).await?;
    Ok(())
}
