//! Idempotency keys: a client that repeats a request gets the first answer, and the effect happens once.
//!
//! The key's row is written in the transaction of the effect. A second request with the same key waits at the
//! unique index until the first has committed, and then replays its answer; if the first rolled back, the second
//! runs as if it were the first.
//!
//! Where all writes are one statement, the key is claimed and answered by one of them: see [`answer_at_once`]. Where many
//! requests share a transaction, their keys are claimed and answered at its end: see [`answers_together`].
//!
//! Where somebody outside is asked in the middle, the key is leased instead: see [`KeyLease`](crate::KeyLease).

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sha2::{Digest, Sha256};

use crate::{Engine, OneStatement, StoreError, array, insert_if_absent, unnest};

/// How long an answer is kept for replay.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// A client's key, in the scope in which it is unique, with what was asked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who asks, by which method, of which route: the same key elsewhere is another key.
    pub scope: String,
    /// The client's own key.
    pub key: String,
    /// Digest of the request's body, to tell a repetition from another request under the same key.
    pub fingerprint: String,
}

impl IdempotencyKey {
    /// The key with the body's SHA-256 as its fingerprint.
    pub fn new(scope: impl Into<String>, key: impl Into<String>, body: &[u8]) -> Self {
        let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { scope: scope.into(), key: key.into(), fingerprint: digest }
    }
}

/// An answer kept for replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body as it was sent.
    pub body: String,
}

/// What is known of a key when a request claims it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody used it before: go on, and keep the answer in the same transaction.
    Fresh,
    /// The same request was answered: replay this.
    Answered(StoredAnswer),
    /// Another request was made under this key.
    OtherRequest,
    /// The same request has begun, and its answer is not kept yet.
    InProgress,
}

/// Claims the key for this transaction.
///
/// # Errors
/// When the database fails.
pub async fn claim_key_in_txn(
    txn: &DatabaseTransaction,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Claim, StoreError> {
    if insert_key(txn, key, now, None).await? {
        return Ok(Claim::Fresh);
    }
    Ok(find(txn, key, now).await?.unwrap_or(Claim::InProgress))
}

/// Writes the key's row unless it is there, leased if asked; tells whether it did. One whose time is over makes room.
pub(crate) async fn insert_key(
    txn: &DatabaseTransaction,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
    lease_until: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let (scope, name) = (key.scope.as_str(), key.key.as_str());
    let values = [
        scope.into(),
        name.into(),
        key.fingerprint.as_str().into(),
        lease_until.into(),
        now.into(),
        (now + KEPT_FOR).into(),
    ];
    // MariaDB counts a row that it left as it was like one that it inserted, so there it takes two statements.
    if engine == Engine::MariaDb {
        let expired = "DELETE FROM idempotency_keys WHERE scope = ? AND idem_key = ? AND expires_at <= ?";
        txn.execute_raw(engine.statement(expired, [scope.into(), name.into(), now.into()])).await?;
        return insert_if_absent(txn, engine.statement(INSERT_KEY, values)).await;
    }
    let claim = format!("{INSERT_KEY} {UNLESS_IN_USE}");
    Ok(txn.execute_raw(engine.statement(&claim, values)).await?.rows_affected() == 1)
}

const INSERT_KEY: &str = "INSERT INTO idempotency_keys \
                          (scope, idem_key, fingerprint, lease_until, created_at, expires_at) \
                          VALUES (?, ?, ?, ?, ?, ?)";

/// Takes over a row whose time is over as if it had not been there, and leaves any other alone.
const UNLESS_IN_USE: &str = "ON CONFLICT (scope, idem_key) DO UPDATE SET fingerprint = excluded.fingerprint, \
                             status = NULL, body = NULL, recovery_point = NULL, lease_until = excluded.lease_until, \
                             created_at = excluded.created_at, expires_at = excluded.expires_at \
                             WHERE idempotency_keys.expires_at <= excluded.created_at";

/// What is known of the key, without claiming it: [`Claim::Fresh`] when nobody's use of it is on record.
///
/// For requests that would be refused by now: what was answered before stays answered.
///
/// # Errors
/// When the database fails.
pub async fn answered_key(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Claim, StoreError> {
    Ok(find(conn, key, now).await?.unwrap_or(Claim::Fresh))
}

/// The use of the key that is on record.
pub(crate) async fn find(
    conn: &impl ConnectionTrait,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Option<Claim>, StoreError> {
    let select = Engine::of(conn.get_database_backend()).statement(
        "SELECT fingerprint, status, body FROM idempotency_keys \
         WHERE scope = ? AND idem_key = ? AND expires_at > ?",
        [key.scope.as_str().into(), key.key.as_str().into(), now.into()],
    );
    let Some(row) = conn.query_one_raw(select).await? else { return Ok(None) };
    if row.try_get::<String>("", "fingerprint")? != key.fingerprint {
        return Ok(Some(Claim::OtherRequest));
    }
    let status: Option<i32> = row.try_get("", "status")?;
    let body: Option<String> = row.try_get("", "body")?;
    Ok(Some(match (status.and_then(|status| u16::try_from(status).ok()), body) {
        (Some(status), Some(body)) => Claim::Answered(StoredAnswer { status, body }),
        _ => Claim::InProgress,
    }))
}

/// Keeps the answer of a freshly claimed key.
///
/// # Errors
/// When the database fails, or the key was not claimed.
pub async fn keep_answer_in_txn(
    txn: &DatabaseTransaction,
    key: &IdempotencyKey,
    answer: &StoredAnswer,
) -> Result<(), StoreError> {
    let update = Engine::of(txn.get_database_backend()).statement(
        "UPDATE idempotency_keys SET status = ?, body = ? WHERE scope = ? AND idem_key = ? AND status IS NULL",
        [
            i32::from(answer.status).into(),
            answer.body.as_str().into(),
            key.scope.as_str().into(),
            key.key.as_str().into(),
        ],
    );
    match txn.execute_raw(update).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Corrupt("an idempotency key was answered without being claimed".to_owned())),
    }
}

/// Adds the claim of the key together with its answer to writes that are made together, if `gate` has a row. When the
/// key is in use or its time is over, the whole statement fails with a
/// [unique violation](StoreError::is_unique_violation).
#[must_use]
pub fn answer_at_once(
    writes: OneStatement,
    key: &IdempotencyKey,
    answer: &StoredAnswer,
    now: DateTime<Utc>,
    gate: &str,
) -> OneStatement {
    let sql = format!(
        "INSERT INTO idempotency_keys (scope, idem_key, fingerprint, created_at, expires_at, status, body) \
         SELECT ?, ?, ?, ?, ?, ?, ? FROM {gate}"
    );
    let values = [
        key.scope.as_str().into(),
        key.key.as_str().into(),
        key.fingerprint.as_str().into(),
        now.into(),
        (now + KEPT_FOR).into(),
        i32::from(answer.status).into(),
        answer.body.as_str().into(),
    ];
    writes.with("answer", &sql, values)
}

/// Which of the keys are on nobody's record, in their order; on PostgreSQL alone. One whose time is over counts as used
/// until it is cleaned up.
///
/// # Errors
/// When the database fails.
pub async fn unused_keys(
    txn: &DatabaseTransaction,
    keys: &[&IdempotencyKey],
) -> Result<Vec<bool>, StoreError> {
    let (rows, columns) = unnest([
        ("text", array(keys.iter().map(|key| Some(&key.scope)))),
        ("text", array(keys.iter().map(|key| Some(&key.key)))),
    ]);
    let sql = format!(
        "SELECT k.scope, k.idem_key FROM {rows} AS v(scope, idem_key) \
         JOIN idempotency_keys k ON k.scope = v.scope AND k.idem_key = v.idem_key"
    );
    let found = txn.query_all_raw(Engine::Postgres.statement(&sql, columns)).await?;
    let used = found
        .iter()
        .map(|row| Ok((row.try_get("", "scope")?, row.try_get("", "idem_key")?)))
        .collect::<Result<HashSet<(String, String)>, StoreError>>()?;
    Ok(keys.iter().map(|key| !used.contains(&(key.scope.clone(), key.key.clone()))).collect())
}

/// Adds the claims of many keys together with their answers to writes that are made together. All of them fail with a
/// [unique violation](StoreError::is_unique_violation) when one of the keys is in use.
#[must_use]
pub fn answers_together(
    writes: OneStatement,
    answers: &[(&IdempotencyKey, StoredAnswer)],
    now: DateTime<Utc>,
) -> OneStatement {
    let (rows, columns) = unnest([
        ("text", array(answers.iter().map(|(key, _)| Some(&key.scope)))),
        ("text", array(answers.iter().map(|(key, _)| Some(&key.key)))),
        ("text", array(answers.iter().map(|(key, _)| Some(&key.fingerprint)))),
        ("integer", array(answers.iter().map(|(_, answer)| Some(answer.status)))),
        ("text", array(answers.iter().map(|(_, answer)| Some(&answer.body)))),
    ]);
    let sql = format!(
        "INSERT INTO idempotency_keys (scope, idem_key, fingerprint, status, body, created_at, expires_at) \
         SELECT v.*, CAST(? AS timestamptz), CAST(? AS timestamptz) FROM {rows} AS v"
    );
    let times = [now.into(), (now + KEPT_FOR).into()];
    writes.with("answers", &sql, times.into_iter().chain(columns))
}

/// Removes keys whose time is over; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn forget_expired_keys(txn: &DatabaseTransaction, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let delete = Engine::of(txn.get_database_backend())
        .statement("DELETE FROM idempotency_keys WHERE expires_at <= ?", [now.into()]);
    Ok(txn.execute_raw(delete).await?.rows_affected())
}
