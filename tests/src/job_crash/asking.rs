//! Asking for jobs: in transactions that commit, and in others that do not.

use std::collections::HashSet;
use std::time::Duration;

use kernel::{Ambient, JobId, TypedId};
use serde_json::json;
use store::{Database, NewJob, StoreError, TxnError, enqueue_in_txn};
use thiserror::Error;
use uuid::Uuid;

use super::{KIND, unfinished_jobs};
use crate::dice::Dice;

/// What was asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// Jobs of transactions that committed: each must be done.
    pub committed: HashSet<Uuid>,
    /// Jobs of transactions that were rolled back: none may ever run.
    pub rolled_back: HashSet<Uuid>,
}

/// Why a transaction ended without a commit.
#[derive(Debug, Error)]
enum NotCommitted {
    #[error("rolled back on purpose")]
    OnPurpose(Vec<JobId>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TxnError for NotCommitted {
    fn as_store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::OnPurpose(_) => None,
        }
    }
}

/// Asks for `count` jobs, one to five in a transaction, while every fourth transaction is rolled back. Never more
/// than `backlog` are left to do: behind a long queue nobody would take a paused worker's jobs before it wakes.
///
/// # Errors
/// When the database fails.
pub async fn ask_for_jobs(
    db: &Database,
    ambient: &Ambient,
    dice: &mut Dice,
    count: usize,
    backlog: i64,
) -> Result<Asked, StoreError> {
    let mut asked = Asked::default();
    while asked.committed.len() < count {
        while unfinished_jobs(db).await? >= backlog {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let size = (1 + dice.index(5)).min(count - asked.committed.len());
        let commit = dice.below(4) > 0;
        let written = db
            .in_txn(async |txn| {
                let mut ids = Vec::new();
                for number in 0..size {
                    let job = NewJob::new(KIND, json!({ "number": number }));
                    ids.extend(enqueue_in_txn(txn, ambient, job).await?);
                }
                if commit { Ok(ids) } else { Err(NotCommitted::OnPurpose(ids)) }
            })
            .await;
        match written {
            Ok(ids) => asked.committed.extend(ids.into_iter().map(TypedId::uuid)),
            Err(NotCommitted::OnPurpose(ids)) => asked.rolled_back.extend(ids.into_iter().map(TypedId::uuid)),
            Err(NotCommitted::Store(error)) => return Err(error),
        }
    }
    Ok(asked)
}
