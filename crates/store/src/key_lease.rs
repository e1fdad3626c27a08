//! Idempotency keys of requests in whose middle somebody outside is asked, so that no single transaction holds them.
//!
//! The first transaction leases the key and writes down what is intended, with a recovery point: the intent's id.
//! The last one keeps the answer. A second request finds the key in progress while the lease lasts. When the process
//! died meanwhile, the lease runs out, and the next request goes on from the recovery point with the same intent, so
//! it asks outside under the same name as before. If the holder was alive all the same, it has lost the lease: what it
//! writes from then on fails with its transaction, so of two holders one has the last word.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};

use crate::idempotency::{find, insert_key};
use crate::{Claim, Engine, IdempotencyKey, StoreError, StoredAnswer};

/// The right to go on under a key until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLease {
    key: IdempotencyKey,
    until: DateTime<Utc>,
    recovery_point: Option<String>,
}

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseClaim {
    /// It is ours: see [`KeyLease::recovery_point`] for whether somebody began before.
    Held(KeyLease),
    /// It is not; never [`Claim::Fresh`].
    Refused(Claim),
}

/// Leases the key for a while.
///
/// # Errors
/// When the database fails.
pub async fn lease_key_in_txn(
    txn: &DatabaseTransaction,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
    lasting: TimeDelta,
) -> Result<LeaseClaim, StoreError> {
    let until = now + lasting;
    if insert_key(txn, key, now, Some(until)).await? {
        return Ok(LeaseClaim::Held(KeyLease { key: key.clone(), until, recovery_point: None }));
    }
    let mut lease = KeyLease { key: key.clone(), until, recovery_point: None };
    let take_over = "UPDATE idempotency_keys SET lease_until = ? WHERE scope = ? AND idem_key = ? \
                     AND fingerprint = ? AND status IS NULL AND lease_until <= ?";
    let fingerprint = key.fingerprint.as_str();
    if lease.update(txn, take_over, [until.into()], [fingerprint.into(), now.into()]).await? {
        lease.recovery_point = recovery_point(txn, key).await?;
        return Ok(LeaseClaim::Held(lease));
    }
    Ok(LeaseClaim::Refused(find(txn, key, now).await?.unwrap_or(Claim::InProgress)))
}

async fn recovery_point(
    txn: &DatabaseTransaction,
    key: &IdempotencyKey,
) -> Result<Option<String>, StoreError> {
    let select = Engine::of(txn.get_database_backend()).statement(
        "SELECT recovery_point FROM idempotency_keys WHERE scope = ? AND idem_key = ?",
        [key.scope.as_str().into(), key.key.as_str().into()],
    );
    let row = txn.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get("", "recovery_point")).transpose()?.flatten())
}

impl KeyLease {
    /// From where to go on, when a request under the key began before and did not finish.
    pub fn recovery_point(&self) -> Option<&str> {
        self.recovery_point.as_deref()
    }

    /// Writes down from where to go on: at most 64 characters, such as the id of what was intended.
    ///
    /// # Errors
    /// When the database fails, or the lease was lost.
    pub async fn mark_in_txn(&mut self, txn: &DatabaseTransaction, point: &str) -> Result<(), StoreError> {
        let mark = "UPDATE idempotency_keys SET recovery_point = ? WHERE scope = ? AND idem_key = ? \
                    AND status IS NULL AND lease_until = ?";
        self.update_held(txn, mark, [point.into()]).await?;
        self.recovery_point = Some(point.to_owned());
        Ok(())
    }

    /// The key that is leased.
    pub fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// Keeps the answer, in the transaction of its effect.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody has taken the lease over: the transaction must not commit. When the
    /// database fails.
    pub async fn keep_answer_in_txn(
        &self,
        txn: &DatabaseTransaction,
        answer: &StoredAnswer,
    ) -> Result<(), StoreError> {
        let keep = "UPDATE idempotency_keys SET status = ?, body = ? WHERE scope = ? AND idem_key = ? \
                    AND status IS NULL AND lease_until = ?";
        let kept = [i32::from(answer.status).into(), answer.body.as_str().into()];
        self.update_held(txn, keep, kept).await
    }

    /// Gives the lease back, so that the next request goes on from the recovery point at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_in_txn(
        &self,
        txn: &DatabaseTransaction,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let release = "UPDATE idempotency_keys SET lease_until = ? WHERE scope = ? AND idem_key = ? \
                       AND status IS NULL AND lease_until = ?";
        self.update(txn, release, [now.into()], [self.until.into()]).await.map(drop)
    }

    /// Forgets the key, as if the request had never been made, in the transaction that writes what came of it.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when somebody has taken the lease over: the transaction must not commit. When the
    /// database fails.
    pub async fn forget_in_txn(&self, txn: &DatabaseTransaction) -> Result<(), StoreError> {
        let forget = "DELETE FROM idempotency_keys WHERE scope = ? AND idem_key = ? AND status IS NULL \
                      AND lease_until = ?";
        self.update_held(txn, forget, []).await
    }

    /// Runs a statement whose values are these, the key's scope and name, and the lease's end, while that is ours.
    async fn update_held<const N: usize>(
        &self,
        txn: &DatabaseTransaction,
        sql: &str,
        before: [Value; N],
    ) -> Result<(), StoreError> {
        let is_held = self.update(txn, sql, before, [self.until.into()]).await?;
        is_held.then_some(()).ok_or(StoreError::LeaseLost)
    }

    /// Runs a statement whose values are these, the key's scope and name, and those; tells whether it hit the row.
    async fn update<const N: usize, const M: usize>(
        &self,
        txn: &DatabaseTransaction,
        sql: &str,
        before: [Value; N],
        after: [Value; M],
    ) -> Result<bool, StoreError> {
        let key = [self.key.scope.as_str().into(), self.key.key.as_str().into()];
        let values = before.into_iter().chain(key).chain(after);
        let statement = Engine::of(txn.get_database_backend()).statement(sql, values);
        Ok(txn.execute_raw(statement).await?.rows_affected() == 1)
    }
}
