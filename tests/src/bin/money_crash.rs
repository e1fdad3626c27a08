//! Money at each failpoint: the gateway dies at every place of a top-up and a refund in turn, comes back, and must end
//! in the state in which it ends when it does not die.

use std::process::ExitCode;

use acceptance::bank::{Desk, Gateway, Opened, Staff, SystemArgs, open, play, scenarios};
use acceptance::check::say;
use anyhow::{Context, ensure};
use clap::Parser;

/// Plays every scenario on an empty database. Ends with an error when one ends in another state than the first, in
/// which nobody dies.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    system: SystemArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    // Whoever ends this process ends the servers: they are killed when the run is dropped.
    let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        ended = run(&cli) => ended,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::FAILURE),
        _ = end.recv() => Ok(ExitCode::FAILURE),
    }
}

async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let Opened { mut gateway, place, sandbox } = open(&cli.system).await?;
    let desk = Desk::new(place.clone());
    let staff = Staff::arrive(&place).await?;
    let failed = tokio::select! {
        failed = play_all(&mut gateway, &desk, &staff) => failed?,
        left = staff.stay_fresh() => return Err(left.err().context("the staff left")?),
    };
    let verified = gateway.run(&["verify-ledger"]).await?;
    ensure!(verified.success(), "`gateway verify-ledger` finds something: see gateway.log");
    gateway.kill().await?;
    drop(sandbox);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gives the number of scenarios that ended otherwise than the first.
async fn play_all(gateway: &mut Gateway, desk: &Desk, staff: &Staff) -> anyhow::Result<usize> {
    let scenarios = scenarios();
    say(&format!("money crash: {}, {} scenarios", desk.engine(), scenarios.len()))?;
    let mut reference = None;
    let mut failed = 0;
    for scenario in &scenarios {
        let state = play(gateway, desk, staff, *scenario).await.with_context(|| scenario.to_string())?;
        let reference = match &reference {
            Some(first) => first,
            None => {
                state.lines().iter().try_for_each(|line| say(&format!("  {line}")))?;
                reference.insert(state.clone())
            }
        };
        let differences = state.differences(reference);
        let word = if differences.is_empty() { "ok    " } else { "FAILED" };
        say(&format!("  {word} {scenario}"))?;
        for difference in &differences {
            say(&format!("           {difference}"))?;
        }
        failed += usize::from(!differences.is_empty());
    }
    say(&format!("{} passed, {failed} failed", scenarios.len() - failed))?;
    Ok(failed)
}
