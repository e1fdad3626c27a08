//! What must be true at the end, checked against what is in the database.

use std::collections::{HashMap, HashSet};

use store::{Database, StoreError};
use uuid::Uuid;

use super::asking::Asked;
use super::tables::{self, Table, Try};
use crate::check::Check;

/// What happened, in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Tries that began.
    pub runs: usize,
    /// Jobs that were tried by more than one process.
    pub taken_over: usize,
    /// Tries that ended after their lease was lost, and were refused.
    pub refusals: usize,
}

/// Reads everything back.
///
/// # Errors
/// When the database fails.
pub async fn judge(db: &Database, asked: &Asked) -> Result<(Figures, Vec<Check>), StoreError> {
    let runs = tables::tries(db, Table::Runs).await?;
    let effects = tables::tries(db, Table::Effects).await?;
    let refusals = tables::tries(db, Table::Refusals).await?;
    let jobs = tables::jobs(db).await?;
    let figures = Figures { runs: runs.len(), taken_over: taken_over(&runs), refusals: refusals.len() };
    let checks = vec![
        Check {
            claim: "every job of a committed transaction is done",
            exceptions: asked.committed.symmetric_difference(&in_state(&jobs, "done")).count(),
        },
        Check { claim: "no job is dead", exceptions: in_state(&jobs, "dead").len() },
        Check {
            claim: "every job of a committed transaction ran at least once",
            exceptions: asked.committed.difference(&ids(&runs)).count(),
        },
        Check {
            claim: "no job of a rolled-back transaction is there, or ran",
            exceptions: jobs
                .iter()
                .map(|job| job.0)
                .chain(ids(&runs))
                .filter(|id| asked.rolled_back.contains(id))
                .count(),
        },
        Check {
            claim: "every effect happened exactly once",
            exceptions: asked.committed.symmetric_difference(&ids(&effects)).count() + repeated(&effects),
        },
        Check {
            claim: "every effect is of the try that held the lease",
            exceptions: of_another_try(&effects, &jobs),
        },
        Check {
            claim: "no try that was refused left an effect",
            exceptions: refusals.iter().filter(|refused| effects.contains(refused)).count(),
        },
        Check {
            claim: "paused workers came back, and were refused",
            exceptions: usize::from(refusals.is_empty()),
        },
    ];
    Ok((figures, checks))
}

fn ids(tries: &[Try]) -> HashSet<Uuid> {
    tries.iter().map(|one| one.job).collect()
}

fn in_state(jobs: &[(Uuid, String, i32)], state: &str) -> HashSet<Uuid> {
    jobs.iter().filter(|job| job.1 == state).map(|job| job.0).collect()
}

fn repeated(effects: &[Try]) -> usize {
    effects.len() - ids(effects).len()
}

fn taken_over(runs: &[Try]) -> usize {
    let mut workers: HashMap<Uuid, HashSet<i32>> = HashMap::new();
    for run in runs {
        workers.entry(run.job).or_default().insert(run.worker);
    }
    workers.values().filter(|workers| workers.len() > 1).count()
}

/// The last attempt is the one that was given the lease last; no other may have finished.
fn of_another_try(effects: &[Try], jobs: &[(Uuid, String, i32)]) -> usize {
    let last: HashMap<Uuid, i32> = jobs.iter().map(|job| (job.0, job.2)).collect();
    effects.iter().filter(|effect| last.get(&effect.job) != Some(&effect.attempt)).count()
}
