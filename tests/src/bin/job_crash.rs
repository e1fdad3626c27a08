//! Jobs under SIGKILL and SIGSTOP: three worker processes, one database, and a count of what happened to each job.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use acceptance::check::{conclude, say};
use acceptance::dice::Dice;
use acceptance::job_crash::{
    Asked, Figures, Fleet, WorkerArgs, ask_for_jobs, connect, create_tables, judge, unfinished_jobs,
};
use anyhow::{Context, bail};
use clap::Parser;
use kernel::Ambient;
use migrations::{Scope, migrate};
use store::{Database, DatabaseConfig};

/// Enqueues jobs on a fresh database while workers are killed and paused, then checks that each job of a committed
/// transaction had its effect exactly once. Ends with an error when anything is not so.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    worker: WorkerArgs,
    /// Jobs of committed transactions.
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,
    /// Jobs waiting or under way at a time, at most.
    #[arg(long, default_value_t = 60)]
    backlog: i64,
    /// Worker processes.
    #[arg(long, default_value_t = 3)]
    workers: usize,
    /// How often a worker is killed, in milliseconds on average.
    #[arg(long, default_value_t = 900)]
    kill_every_ms: u64,
    /// How often a worker is paused, in milliseconds on average. A pause is twice a lease.
    #[arg(long, default_value_t = 1_300)]
    pause_every_ms: u64,
    /// Seconds after which the run is given up.
    #[arg(long, default_value_t = 900)]
    limit_s: u64,
    /// Repeats the random choices of a run; the times at which processes run are the machine's.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let ambient = Ambient::system();
    let seed = cli.seed.unwrap_or_else(|| ambient.random_below(1_000_000));
    migrate(&DatabaseConfig::new(&cli.worker.url), Scope::Store).await?;
    let db = connect(&cli.worker.url).await?;
    create_tables(&db).await?;
    say(&format!("job crash run: {}, {} jobs, {} workers, seed {seed}", db.engine(), cli.jobs, cli.workers))?;

    let began = Instant::now();
    let mut fleet = Fleet::start(cli.worker.clone(), cli.workers)?;
    let asking = {
        let (db, jobs, backlog) = (db.clone(), cli.jobs, cli.backlog);
        tokio::spawn(async move { ask_for_jobs(&db, &ambient, &mut Dice::new(seed), jobs, backlog).await })
    };
    let limit = Duration::from_secs(cli.limit_s);
    tokio::time::timeout(
        limit,
        disturb(&cli, &db, &mut fleet, &mut Dice::new(!seed), || asking.is_finished()),
    )
    .await
    .context("the jobs were not done in time")??;
    let asked = asking.await??;
    let (kills, pauses) = (fleet.kills, fleet.pauses);
    fleet.stop().await?;

    let (figures, checks) = judge(&db, &asked).await?;
    report(&asked, figures, kills, pauses, began.elapsed())?;
    conclude(&checks)
}

/// Kills and pauses workers until every job is done.
async fn disturb(
    cli: &Cli,
    db: &Database,
    fleet: &mut Fleet,
    dice: &mut Dice,
    all_asked: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let kill_every = Duration::from_millis(cli.kill_every_ms);
    let pause_every = Duration::from_millis(cli.pause_every_ms);
    let pause = Duration::from_millis(cli.worker.lease_ms) * 2;
    let mut next_kill = Instant::now() + kill_every;
    let mut next_pause = Instant::now() + pause_every / 2;
    let mut next_line = Instant::now() + Duration::from_secs(5);
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        fleet.wake().await?;
        if next_kill <= Instant::now() {
            fleet.kill(dice.index(fleet.size())).await?;
            next_kill = Instant::now() + dice.around(kill_every);
        }
        if next_pause <= Instant::now() {
            fleet.pause(dice.index(fleet.size()), pause).await?;
            next_pause = Instant::now() + dice.around(pause_every);
        }
        // In this order: what is asked for after the count would be missed.
        let is_all = all_asked();
        let left = unfinished_jobs(db).await?;
        if is_all && left == 0 {
            return Ok(());
        }
        if next_line <= Instant::now() {
            say(&format!("  {left} under way, {} killed, {} paused", fleet.kills, fleet.pauses))?;
            next_line = Instant::now() + Duration::from_secs(5);
        }
    }
}

fn report(asked: &Asked, figures: Figures, kills: u32, pauses: u32, took: Duration) -> anyhow::Result<()> {
    let rows = [
        ("jobs committed", asked.committed.len().to_string()),
        ("jobs rolled back", asked.rolled_back.len().to_string()),
        ("tries", figures.runs.to_string()),
        ("jobs taken over", figures.taken_over.to_string()),
        ("finishes refused", figures.refusals.to_string()),
        ("SIGKILL", kills.to_string()),
        ("SIGSTOP", pauses.to_string()),
        ("seconds", took.as_secs().to_string()),
    ];
    for (name, value) in rows {
        say(&format!("  {name:<18}{value:>8}"))?;
    }
    if kills == 0 || pauses == 0 || asked.rolled_back.is_empty() {
        bail!("the run was too short to show anything: ask for more jobs");
    }
    Ok(())
}
