//! Once, however often it is asked for: how a request under an `Idempotency-Key` has its effect.
//!
//! [`once`](Marketplace::once) is for an effect that is one transaction: the key is claimed and the answer kept in it.
//! [`begin_once`](Marketplace::begin_once) and [`finish_once`](Marketplace::finish_once) are for an effect with a call
//! to somebody outside in its middle: the key is leased, and whoever comes after a process that died goes on with what
//! that one intended. A flow whose writes can all be one statement, or that shares a transaction with its like, may put the
//! key and its answer among them (see [`answer_at_once`](store::answer_at_once) and
//! [`answers_together`](store::answers_together)); what that does not write comes here.
//!
//! Successes are kept, and so are refusals of the domains (conflicts such as `insufficient_funds`): a repetition must
//! not suddenly succeed. Everything else leaves the key free. A conflict undoes the whole transaction and is kept in
//! one of its own, so that what succeeds pays for no savepoint.

use chrono::TimeDelta;
use kernel::{DomainError, ErrorKind};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use store::{
    Claim, IdempotencyKey, KeyLease, LeaseClaim, StoreError, StoredAnswer, answered_key, claim_key_in_txn,
    keep_answer_in_txn, lease_key_in_txn,
};

use crate::{FlowError, Marketplace};

/// For how long a request may ask somebody outside: longer than the patience of any client of ours with its retries.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// The status under which refusals are kept.
const CONFLICT: u16 = 409;

/// What came of a request under a key.
#[derive(Debug, Clone)]
pub enum Once<T> {
    /// It was done now.
    Now(T),
    /// It was answered before under the same key; this is the answer that was given then. From status 400 its body is
    /// a [`KeptRefusal`].
    Before(StoredAnswer),
}

/// What the effect of a request came to.
#[derive(Debug)]
pub enum Effect<T> {
    /// It was done.
    Done(T),
    /// It was refused with a conflict, and what was written stays: the ledger's memory of its refusal, and nothing
    /// else. An effect that has written more fails with the conflict instead, which undoes its writes.
    Refused(FlowError),
}

impl<T> Effect<T> {
    fn settled(self) -> Result<T, FlowError> {
        match self {
            Self::Done(done) => Ok(done),
            Self::Refused(refusal) => Err(refusal),
        }
    }
}

/// A refusal as it is kept for replay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRefusal {
    /// The problem's stable code.
    pub code: String,
    /// What happened.
    pub detail: String,
}

/// What came of beginning a request that asks somebody outside.
#[derive(Debug)]
pub(crate) enum Begun {
    /// Go on with the intent that the lease's recovery point names, and finish.
    Leased {
        /// The right to.
        lease: KeyLease,
        /// Whether somebody went on with it before and was not heard of again.
        began_before: bool,
    },
    /// It was answered before.
    Before(StoredAnswer),
}

impl Marketplace {
    /// Has the effect once under the key, or without one each time. `answer` writes the answer that is kept.
    ///
    /// # Errors
    /// The effect's own; [`FlowError::KeyReused`] when the key was used for another request, and
    /// [`FlowError::KeyInProgress`] when the first request under it has not been answered.
    pub(crate) async fn once<'k, T, F>(
        &self,
        key: impl Into<Option<&'k IdempotencyKey>>,
        effect: F,
        answer: impl Fn(&T) -> StoredAnswer,
    ) -> Result<Once<T>, FlowError>
    where
        F: for<'c> AsyncFnOnce(&'c DatabaseTransaction) -> Result<Effect<T>, FlowError> + Clone,
    {
        let key = key.into();
        let once = self
            .db
            .in_txn(async |txn| {
                let Some(key) = key else {
                    return Ok::<_, FlowError>(effect.clone()(txn).await?.settled().map(Once::Now));
                };
                let claim = claim_key_in_txn(txn, key, self.ambient.now()).await?;
                if let Some(before) = answered(claim)? {
                    return Ok(Ok(Once::Before(before)));
                }
                let settled = effect.clone()(txn).await?.settled();
                let kept = match &settled {
                    Ok(done) => answer(done),
                    Err(refusal) => refused(refusal),
                };
                keep_answer_in_txn(txn, key, &kept).await?;
                Ok(settled.map(Once::Now))
            })
            .await;
        match (once, key) {
            (Err(refusal), Some(key)) if is_kept(&refusal) => {
                self.keep_refusal(key, refusal).await.map(Once::Before)
            }
            (once, _) => once?,
        }
    }

    /// Keeps a conflict whose transaction was undone, and fails with it. Whoever has used the key in between has
    /// answered for both: their answer is given then.
    async fn keep_refusal(
        &self,
        key: &IdempotencyKey,
        refusal: FlowError,
    ) -> Result<StoredAnswer, FlowError> {
        let kept = refused(&refusal);
        let before = self
            .db
            .in_txn(async |txn| {
                let claim = claim_key_in_txn(txn, key, self.ambient.now()).await?;
                if claim == Claim::Fresh {
                    keep_answer_in_txn(txn, key, &kept).await?;
                }
                answered(claim)
            })
            .await?;
        before.ok_or(refusal)
    }

    /// The answer that was given under the key, for a request that would be refused by now.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub(crate) async fn answer_before(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredAnswer>, FlowError> {
        answered(answered_key(self.db.reader()?, key, self.ambient.now()).await?)
    }

    /// Leases the key. `intend` runs for the first request only: it writes down what is intended and gives its id, from
    /// which whoever comes after a process that died goes on.
    ///
    /// # Errors
    /// As [`once`](Self::once).
    pub(crate) async fn begin_once<F>(&self, key: &IdempotencyKey, intend: F) -> Result<Begun, FlowError>
    where
        F: for<'c> AsyncFnOnce(&'c DatabaseTransaction) -> Result<Effect<String>, FlowError> + Clone,
    {
        let begun = self
            .db
            .in_txn(async |txn| {
                let mut lease = match lease_key_in_txn(txn, key, self.ambient.now(), LEASE).await? {
                    LeaseClaim::Held(lease) => lease,
                    LeaseClaim::Refused(claim) => {
                        let before = answered(claim)?.ok_or(FlowError::KeyInProgress)?;
                        return Ok::<_, FlowError>(Ok(Begun::Before(before)));
                    }
                };
                if lease.recovery_point().is_some() {
                    return Ok(Ok(Begun::Leased { lease, began_before: true }));
                }
                match intend.clone()(txn).await? {
                    Effect::Done(intent) => {
                        lease.mark_in_txn(txn, &intent).await?;
                        Ok(Ok(Begun::Leased { lease, began_before: false }))
                    }
                    Effect::Refused(refusal) => {
                        lease.keep_answer_in_txn(txn, &refused(&refusal)).await?;
                        Ok(Err(refusal))
                    }
                }
            })
            .await;
        match begun {
            Err(refusal) if is_kept(&refusal) => self.keep_refusal(key, refusal).await.map(Begun::Before),
            begun => begun?,
        }
    }

    /// Writes down what came of the intent, and keeps the answer. Whoever has lost the lease meanwhile writes nothing: the
    /// answer of who took it over is given then. A refusal that is no conflict stays written too, but leaves the key
    /// free: nothing came of the request.
    ///
    /// # Errors
    /// The effect's own; [`FlowError::KeyInProgress`] when the lease was lost and its holder has not answered yet.
    pub(crate) async fn finish_once<T, F>(
        &self,
        lease: &KeyLease,
        effect: F,
        answer: impl Fn(&T) -> StoredAnswer,
    ) -> Result<Once<T>, FlowError>
    where
        F: for<'c> AsyncFnOnce(&'c DatabaseTransaction) -> Result<Effect<T>, FlowError> + Clone,
    {
        let finished = self
            .db
            .in_txn(async |txn| match effect.clone()(txn).await? {
                Effect::Done(done) => {
                    lease.keep_answer_in_txn(txn, &answer(&done)).await?;
                    Ok::<_, FlowError>(Ok(done))
                }
                Effect::Refused(refusal) if is_kept(&refusal) => {
                    lease.keep_answer_in_txn(txn, &refused(&refusal)).await?;
                    Ok(Err(refusal))
                }
                Effect::Refused(failure) => {
                    lease.forget_in_txn(txn).await?;
                    Ok(Err(failure))
                }
            })
            .await;
        match finished {
            Err(FlowError::Store(StoreError::LeaseLost)) => {
                self.answer_before(lease.key()).await?.map(Once::Before).ok_or(FlowError::KeyInProgress)
            }
            finished => finished?.map(Once::Now),
        }
    }

    /// Lets the next request go on with the intent at once: what came of it is not known yet.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn pause_once(&self, lease: &KeyLease) -> Result<(), FlowError> {
        let now = self.ambient.now();
        self.db.in_txn(async |txn| Ok(lease.release_in_txn(txn, now).await?)).await
    }
}

/// Whether the failure is a refusal that a repetition of the request must meet again.
fn is_kept(failure: &FlowError) -> bool {
    failure.kind() == ErrorKind::Conflict && !matches!(failure, FlowError::KeyInProgress)
}

fn refused(refusal: &FlowError) -> StoredAnswer {
    let kept = KeptRefusal { code: refusal.code().to_owned(), detail: refusal.to_string() };
    StoredAnswer { status: CONFLICT, body: serde_json::to_string(&kept).unwrap_or_default() }
}

/// What was answered before, if the key is not fresh.
fn answered(claim: Claim) -> Result<Option<StoredAnswer>, FlowError> {
    match claim {
        Claim::Fresh => Ok(None),
        Claim::Answered(before) => Ok(Some(before)),
        Claim::OtherRequest => Err(FlowError::KeyReused),
        Claim::InProgress => Err(FlowError::KeyInProgress),
    }
}
