//! The simulator: the real ledger, payments and flows against a model of the provider, in many short histories.
//!
//! Everything that happens follows from a seed: time, randomness, who does what, what the provider answers and when, and
//! where the process dies. Flows run one at a time and stay open at the provider's answers, so they interleave there as
//! they would in processes; at a failpoint they are dropped, as a process that is killed drops them.
//!
//! Nothing is believed. After each step an auditor reads the journals that appeared, and each must follow from what the
//! provider knows and from what was asked, with the amounts that the auditor computes from the chart of accounts. Each
//! reply must be the one that was forecast. At the end of a history the provider's post is delivered, the clock is
//! moved past all pollers, and every captured payment must be credited or back, once.

mod actors;
mod ambient;
mod ask;
mod audit;
mod bank;
mod books;
mod digest;
mod flight;
mod forecast;
mod history;
mod mute;
mod seen;
mod settlement;
mod stage;
mod world;

use std::collections::BTreeSet;

use ask::Reply;
use history::History;
use stage::Stage;

pub use digest::Digest;

/// A bug that is planted, to see it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// Somebody writes into a wallet past the ledger.
    TamperedWallet,
    /// The provider calls payments captured that are not.
    LyingProvider,
}

/// Takes the lines of a history.
pub type Diary = fn(&str);

/// How much to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Steps in all.
    pub steps: u64,
    /// Steps of one history; the last may be shorter.
    pub history: u64,
    /// A bug to plant.
    pub sabotage: Option<Sabotage>,
    /// Who is told each step, for reading a failure.
    pub diary: Option<Diary>,
}

/// Failpoints by their names.
pub type Places = BTreeSet<&'static str>;

/// What was seen to happen: a run that shows nothing proves nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Replies that were not refusals.
    pub successes: u64,
    /// Refusals and failures.
    pub refusals: u64,
    /// Answers that were kept under a key and given again.
    pub replays: u64,
    /// Flows that went on after others had gone before them.
    pub resumed: u64,
    /// Flows that died at a failpoint.
    pub crashes: u64,
    /// Times that the process started again.
    pub restarts: u64,
    /// Journals that were audited.
    pub journals: u64,
    /// Failpoints at which flows have died.
    pub places: Places,
}

impl Tally {
    fn count(&mut self, reply: &Reply) {
        match reply {
            Reply::Kept(_) => self.replays += 1,
            Reply::Refused(_) => self.refusals += 1,
            _ => self.successes += 1,
        }
    }

    fn add(&mut self, other: Self) {
        self.successes += other.successes;
        self.refusals += other.refusals;
        self.replays += other.replays;
        self.resumed += other.resumed;
        self.crashes += other.crashes;
        self.restarts += other.restarts;
        self.journals += other.journals;
        self.places.extend(other.places);
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Steps that were made.
    pub steps: u64,
    /// Histories that were settled.
    pub histories: u64,
    /// What happened.
    pub tally: Tally,
    /// All that happened, as a number: equal for equal runs.
    pub digest: Digest,
}

/// Where a run failed.
#[derive(Debug, thiserror::Error)]
#[error("seed {seed}, step {step}: {cause:#}")]
pub struct Failure {
    /// The seed of the history that failed: `--seed` with it replays that history alone.
    pub seed: u64,
    /// How many steps that history has.
    pub steps: u64,
    /// The step within it; one after the last is its settlement.
    pub step: u64,
    /// What was found.
    pub cause: anyhow::Error,
}

/// Runs histories until the steps are made; `tell` hears of each that was settled. The first history has the plan's seed,
/// the next the one after it, so that each can be run alone.
///
/// # Errors
/// At the first thing that is not as it must be.
pub async fn run(plan: Plan, mut tell: impl FnMut(&Summary)) -> Result<Summary, Failure> {
    let stage =
        Stage::set().await.map_err(|cause| Failure { seed: plan.seed, steps: plan.steps, step: 0, cause })?;
    let mut summary = Summary { steps: 0, histories: 0, tally: Tally::default(), digest: Digest::default() };
    while summary.steps < plan.steps {
        let seed = plan.seed.wrapping_add(summary.histories);
        let steps = plan.history.clamp(1, plan.steps - summary.steps);
        let (tally, digest) = run_history(&stage, seed, steps, &plan).await?;
        summary.steps += steps;
        summary.histories += 1;
        summary.tally.add(tally);
        summary.digest.add(digest);
        tell(&summary);
    }
    Ok(summary)
}

async fn run_history(stage: &Stage, seed: u64, steps: u64, plan: &Plan) -> Result<(Tally, Digest), Failure> {
    let failed = |step| move |cause| Failure { seed, steps, step, cause };
    let begun = History::begin(stage, seed, seed, plan.sabotage, plan.diary).await;
    let mut history = begun.map_err(failed(0))?;
    for step in 1..=steps {
        history.step().await.map_err(failed(step))?;
    }
    history.settle().await.map_err(failed(steps + 1))
}

#[cfg(test)]
mod tests;
