//! The rows of authenticators and recovery codes.

use chrono::{DateTime, Utc};
use kernel::{Sealed, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::rules::NO_STEP;

/// An authenticator.
pub(super) struct Factor {
    pub(super) secret: Sealed,
    pub(super) last_step: i64,
    pub(super) confirmed: bool,
}

/// The place for which a person's secret is sealed.
pub(super) fn place(user: UserId) -> String {
    format!("totp_factors|secret|{user}")
}

/// Reads the person's authenticator and locks its row.
pub(super) async fn lock_factor(
    txn: &DatabaseTransaction,
    user: UserId,
) -> Result<Option<Factor>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT key_id, secret, last_step, confirmed_at FROM totp_factors WHERE user_id = ?{}",
        engine.for_update()
    );
    let row = txn.query_one_raw(engine.statement(&sql, [user.uuid().into()])).await?;
    row.as_ref()
        .map(|row| {
            Ok(Factor {
                secret: sealed(row)?,
                last_step: row.try_get("", "last_step")?,
                confirmed: row.try_get::<Option<DateTime<Utc>>>("", "confirmed_at")?.is_some(),
            })
        })
        .transpose()
}

fn sealed(row: &QueryResult) -> Result<Sealed, StoreError> {
    Ok(Sealed { key_id: row.try_get("", "key_id")?, bytes: row.try_get("", "secret")? })
}

/// Puts an unconfirmed authenticator in place of whatever the person had.
pub(super) async fn replace_factor_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    secret: Sealed,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    remove_in_txn(txn, user).await?;
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO totp_factors (user_id, key_id, secret, last_step, enrolled_at) VALUES (?, ?, ?, ?, ?)",
        [user.uuid().into(), secret.key_id.into(), secret.bytes.into(), NO_STEP.into(), now.into()],
    );
    txn.execute_raw(insert).await?;
    Ok(())
}

/// Removes authenticator and recovery codes; tells whether there was one.
pub(super) async fn remove_in_txn(txn: &DatabaseTransaction, user: UserId) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let codes = "DELETE FROM totp_recovery_codes WHERE user_id = ?";
    txn.execute_raw(engine.statement(codes, [user.uuid().into()])).await?;
    let factor = "DELETE FROM totp_factors WHERE user_id = ?";
    let removed = txn.execute_raw(engine.statement(factor, [user.uuid().into()])).await?;
    Ok(removed.rows_affected() == 1)
}

/// Accepts a step, if no later one was accepted before; tells whether it was.
pub(super) async fn accept_step_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    step: i64,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE totp_factors SET last_step = ? WHERE user_id = ? AND last_step < ?",
        [step.into(), user.uuid().into(), step.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Confirms the authenticator and keeps what its recovery codes are known by.
pub(super) async fn confirm_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    code_hashes: &[String],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let update = "UPDATE totp_factors SET confirmed_at = ? WHERE user_id = ?";
    txn.execute_raw(engine.statement(update, [now.into(), user.uuid().into()])).await?;
    for hash in code_hashes {
        let insert = "INSERT INTO totp_recovery_codes (user_id, code_hash) VALUES (?, ?)";
        txn.execute_raw(engine.statement(insert, [user.uuid().into(), hash.as_str().into()])).await?;
    }
    Ok(())
}

/// Uses a recovery code up; tells whether it was there to be used.
pub(super) async fn use_recovery_code_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE totp_recovery_codes SET used_at = ? WHERE user_id = ? AND code_hash = ? AND used_at IS NULL",
        [now.into(), user.uuid().into(), hash.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Some secrets that are sealed by another key than this, locked.
pub(super) async fn lock_sealed_otherwise(
    txn: &DatabaseTransaction,
    key_id: &str,
    limit: u32,
) -> Result<Vec<(UserId, Sealed)>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let sql = format!(
        "SELECT user_id, key_id, secret FROM totp_factors WHERE key_id <> ? ORDER BY user_id LIMIT {limit}{}",
        engine.for_update()
    );
    let rows = txn.query_all_raw(engine.statement(&sql, [key_id.into()])).await?;
    rows.iter().map(|row| Ok((row.try_get::<Uuid>("", "user_id")?.into(), sealed(row)?))).collect()
}

pub(super) async fn set_secret_in_txn(
    txn: &DatabaseTransaction,
    user: UserId,
    secret: Sealed,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE totp_factors SET key_id = ?, secret = ? WHERE user_id = ?",
        [secret.key_id.into(), secret.bytes.into(), user.uuid().into()],
    );
    txn.execute_raw(update).await?;
    Ok(())
}
