//! The rows of one-time codes.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::rules::MAX_GUESSES;

/// A code about to take its slot.
pub(super) struct NewCode {
    pub(super) slot: String,
    pub(super) id: Uuid,
    pub(super) code_hash: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) resend_at: DateTime<Utc>,
}

/// Puts the code into its slot, where it replaces the one before; refused until that one may be sent again, and
/// then tells when that is.
pub(super) async fn put_in_txn(
    txn: &DatabaseTransaction,
    code: &NewCode,
) -> Result<Result<(), DateTime<Utc>>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let update = engine.statement(
        "UPDATE otp_codes SET id = ?, code_hash = ?, attempts = 0, created_at = ?, expires_at = ?, \
         resend_at = ?, used_at = NULL WHERE slot = ? AND resend_at <= ?",
        [
            code.id.into(),
            code.code_hash.as_str().into(),
            code.created_at.into(),
            code.expires_at.into(),
            code.resend_at.into(),
            code.slot.as_str().into(),
            code.created_at.into(),
        ],
    );
    if txn.execute_raw(update).await?.rows_affected() == 1 {
        return Ok(Ok(()));
    }
    let insert = engine.statement(
        "INSERT INTO otp_codes (slot, id, code_hash, attempts, created_at, expires_at, resend_at) \
         VALUES (?, ?, ?, 0, ?, ?, ?)",
        [
            code.slot.as_str().into(),
            code.id.into(),
            code.code_hash.as_str().into(),
            code.created_at.into(),
            code.expires_at.into(),
            code.resend_at.into(),
        ],
    );
    if insert_if_absent(txn, insert).await? {
        return Ok(Ok(()));
    }
    let select =
        engine.statement("SELECT resend_at FROM otp_codes WHERE slot = ?", [code.slot.as_str().into()]);
    let resend_at = match txn.query_one_raw(select).await? {
        Some(row) => row.try_get("", "resend_at")?,
        None => code.resend_at,
    };
    Ok(Err(resend_at))
}

/// The code that lives in a slot: its id and digest.
pub(super) async fn of_slot(
    db: &impl ConnectionTrait,
    slot: &str,
) -> Result<Option<(Uuid, String)>, StoreError> {
    let select = Engine::of(db.get_database_backend())
        .statement("SELECT id, code_hash FROM otp_codes WHERE slot = ?", [slot.into()]);
    match db.query_one_raw(select).await? {
        Some(row) => Ok(Some((row.try_get("", "id")?, row.try_get("", "code_hash")?))),
        None => Ok(None),
    }
}

/// Asks the row to admit one more guess. The condition is the guard: a guess that it does not admit must not be
/// evaluated, so that parallel guesses cannot all read the same count and go on.
pub(super) async fn admit_guess_in_txn(
    txn: &DatabaseTransaction,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE otp_codes SET attempts = attempts + 1 \
         WHERE id = ? AND attempts < ? AND used_at IS NULL AND expires_at > ?",
        [id.into(), MAX_GUESSES.into(), now.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Uses the code up; tells whether it was still there to be used.
pub(super) async fn use_in_txn(
    txn: &DatabaseTransaction,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE otp_codes SET used_at = ? WHERE id = ? AND used_at IS NULL",
        [now.into(), id.into()],
    );
    Ok(txn.execute_raw(update).await?.rows_affected() == 1)
}

/// Removes a code that was not used.
pub(super) async fn remove_unused_in_txn(txn: &DatabaseTransaction, id: Uuid) -> Result<(), StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM otp_codes WHERE id = ? AND used_at IS NULL", [id.into()]);
    txn.execute_raw(delete).await?;
    Ok(())
}

/// Lets the code be replaced from now on.
pub(super) async fn allow_resend_in_txn(
    txn: &DatabaseTransaction,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend())
        .statement("UPDATE otp_codes SET resend_at = ? WHERE id = ?", [now.into(), id.into()]);
    txn.execute_raw(update).await?;
    Ok(())
}

/// Removes codes whose time was over before the moment; gives how many.
pub(crate) async fn forget_old_in_txn(
    txn: &DatabaseTransaction,
    before: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM otp_codes WHERE expires_at < ?", [before.into()]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}
