//! The SQL of holds.

use kernel::{HoldId, JournalId, Money, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::{HoldPurpose, NewHold};

/// A hold as it was read.
pub(super) struct Hold {
    pub(super) user: UserId,
    pub(super) purpose: HoldPurpose,
    pub(super) ref_type: String,
    pub(super) ref_id: String,
    pub(super) from_available: Money,
    pub(super) from_earnings: Money,
    pub(super) is_open: bool,
}

/// Writes the hold that the journal opened; `false` when something is held for the same reference. A unique violation
/// leaves PostgreSQL's transaction unusable, and the caller gives it up anyway.
pub(super) async fn insert(
    txn: &DatabaseTransaction,
    id: HoldId,
    new: &NewHold,
    amount: Money,
    opened: JournalId,
) -> Result<bool, StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO ledger_holds (id, user_id, purpose, ref_type, ref_id, amount, from_available, from_earnings, \
         status, open_journal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?)",
        [
            id.uuid().into(),
            new.user.uuid().into(),
            new.purpose.as_str().into(),
            new.reference.kind.into(),
            new.reference.id.as_str().into(),
            amount.amount().into(),
            new.from_available.amount().into(),
            new.from_earnings.amount().into(),
            opened.uuid().into(),
        ],
    );
    match txn.execute_raw(insert).await.map_err(StoreError::from) {
        Ok(_) => Ok(true),
        Err(error) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The hold that a journal opened.
pub(super) async fn opened_by(
    conn: &impl ConnectionTrait,
    journal: JournalId,
) -> Result<Option<HoldId>, StoreError> {
    let select = Engine::of(conn.get_database_backend())
        .statement("SELECT id FROM ledger_holds WHERE open_journal = ?", [journal.uuid().into()]);
    let row = conn.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get::<Uuid>("", "id")).transpose()?.map(HoldId::from))
}

/// Whose money is held; never changes.
pub(super) async fn owner(conn: &impl ConnectionTrait, id: HoldId) -> Result<Option<UserId>, StoreError> {
    let select = Engine::of(conn.get_database_backend())
        .statement("SELECT user_id FROM ledger_holds WHERE id = ?", [id.uuid().into()]);
    let row = conn.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get::<Uuid>("", "user_id")).transpose()?.map(UserId::from))
}

/// The hold, locked until the transaction ends.
pub(super) async fn lock(txn: &DatabaseTransaction, id: HoldId) -> Result<Option<Hold>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT user_id, purpose, ref_type, ref_id, from_available, from_earnings, status FROM ledger_holds \
         WHERE id = ?{}",
        engine.for_update()
    );
    let Some(row) = txn.query_one_raw(engine.statement(&sql, [id.uuid().into()])).await? else {
        return Ok(None);
    };
    let purpose: String = row.try_get("", "purpose")?;
    Ok(Some(Hold {
        user: row.try_get::<Uuid>("", "user_id")?.into(),
        purpose: HoldPurpose::parse(&purpose)
            .ok_or_else(|| StoreError::Corrupt(format!("a hold's purpose is {purpose}")))?,
        ref_type: row.try_get("", "ref_type")?,
        ref_id: row.try_get("", "ref_id")?,
        from_available: Money::inr(row.try_get("", "from_available")?),
        from_earnings: Money::inr(row.try_get("", "from_earnings")?),
        is_open: row.try_get::<String>("", "status")? == "open",
    }))
}

/// Ends the hold, if it is open still.
pub(super) async fn resolve(
    txn: &DatabaseTransaction,
    id: HoldId,
    status: &'static str,
    journal: JournalId,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE ledger_holds SET status = ?, resolve_journal = ? WHERE id = ? AND status = 'open'",
        [status.into(), journal.uuid().into(), id.uuid().into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Whether this journal ended the hold.
pub(super) async fn is_resolved_by(
    conn: &impl ConnectionTrait,
    id: HoldId,
    journal: JournalId,
) -> Result<bool, StoreError> {
    let select = Engine::of(conn.get_database_backend()).statement(
        "SELECT 1 AS yes FROM ledger_holds WHERE id = ? AND resolve_journal = ?",
        [id.uuid().into(), journal.uuid().into()],
    );
    Ok(conn.query_one_raw(select).await?.is_some())
}
