//! `make simulate`: money under a seeded storm, against a model of the provider. Prints a seed that fails.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use acceptance::simulate::{Diary, Failure, Plan, Sabotage, Summary, run};
use anyhow::bail;
use clap::Parser;
use kernel::Ambient;
use marketplace::Failpoint;

/// After so many steps, flows must have died at every failpoint.
const EVERYWHERE: u64 = 50_000;

/// Runs the real ledger, payments and flows against a model of the provider. Ends with an error at the first thing that
/// is not as it must be, and names the seed that replays it.
#[derive(Debug, Parser)]
struct Cli {
    /// Repeats a run; by default one that nobody has seen.
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
    /// Steps in all.
    #[arg(long, env = "STEPS", default_value_t = 50_000)]
    steps: u64,
    /// Steps of one history.
    #[arg(long, default_value_t = 200)]
    history: u64,
    /// Histories instead of steps.
    #[arg(long)]
    histories: Option<u64>,
    /// Tells each step.
    #[arg(long)]
    diary: bool,
    /// Plants a bug, which must be found.
    #[arg(long)]
    sabotage: Option<Sabotage>,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // One thread: whatever wakes first must be the same each time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(simulate(&cli))
}

async fn simulate(cli: &Cli) -> anyhow::Result<ExitCode> {
    let seed = cli.seed.unwrap_or_else(|| Ambient::system().random_below(1_000_000_000));
    let steps = cli.histories.map_or(cli.steps, |histories| histories.saturating_mul(cli.history));
    say(&format!("simulation: seed {seed}, {steps} steps in histories of {}", cli.history))?;
    let began = Instant::now();
    let mut next_line = 10;
    let diary = cli.diary.then_some::<Diary>(write);
    let result = run(Plan { seed, steps, history: cli.history, sabotage: cli.sabotage, diary }, |so_far| {
        if began.elapsed().as_secs() >= next_line {
            next_line = began.elapsed().as_secs() + 10;
            // Progress is told in passing: whoever does not read it misses nothing.
            let _ = say(&format!("  {} steps, {} s", so_far.steps, began.elapsed().as_secs()));
        }
    })
    .await;
    match result {
        Ok(summary) => {
            conclude(&summary, began.elapsed().as_secs())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            complain(&failure)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn conclude(summary: &Summary, seconds: u64) -> anyhow::Result<()> {
    let tally = &summary.tally;
    let rows = [
        ("steps", summary.steps),
        ("histories", summary.histories),
        ("journals audited", tally.journals),
        ("successes", tally.successes),
        ("refusals", tally.refusals),
        ("replayed answers", tally.replays),
        ("flows gone on with", tally.resumed),
        ("crashes", tally.crashes),
        ("restarts", tally.restarts),
        ("seconds", seconds),
    ];
    for (name, value) in rows {
        say(&format!("  {name:<20}{value:>9}"))?;
    }
    let missed =
        Failpoint::ALL.iter().map(|place| place.name()).filter(|place| !tally.places.contains(place));
    let missed: Vec<_> = missed.collect();
    // A short run cannot die everywhere; a long one that does not proves less than it seems to.
    if summary.steps >= EVERYWHERE && !missed.is_empty() {
        bail!("no flow died at {}", missed.join(", "));
    }
    say(&format!("passed, died at {} failpoints, digest {}", tally.places.len(), summary.digest))
}

fn complain(failure: &Failure) -> anyhow::Result<()> {
    say(&format!("FAILED at {failure}"))?;
    say(&format!("again: make simulate SEED={} STEPS={}", failure.seed, failure.steps))
}

fn write(line: &str) {
    // As with progress.
    let _ = say(line);
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stderr(), "{line}")?)
}
