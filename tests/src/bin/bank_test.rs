//! The bank test: clients move money while the gateway is killed every few seconds, and the books must hold exactly
//! what the clients reckon.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use acceptance::bank::{
    Audit, Closing, Customer, Desk, Opened, Staff, SystemArgs, audit, disturb, judge, open, settle,
};
use acceptance::check::{conclude, say};
use acceptance::dice::Dice;
use anyhow::{Context, ensure};
use clap::Parser;
use kernel::Ambient;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Clients who arrive at a time.
const ARRIVALS: usize = 8;

/// Kills the gateway under load on an empty database, then compares the books with what was acknowledged. Ends with an
/// error when anything is not so.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    system: SystemArgs,
    /// For how long. Access tokens live for ten minutes, and none is renewed.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(5..=400))]
    seconds: u64,
    /// Clients at a time.
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Repeats the random choices of a run; the times at which processes run are the machine's.
    #[arg(long)]
    seed: Option<u64>,
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
    let seed = cli.seed.unwrap_or_else(|| Ambient::system().random_below(1_000_000));
    let Opened { mut gateway, place, sandbox } = open(&cli.system).await?;
    say(&format!(
        "bank test: {}, {} clients, {} s, seed {seed}",
        place.db.engine(),
        cli.clients,
        cli.seconds
    ))?;
    let desk = Desk::new(place.clone());
    let staff = Staff::arrive(&place).await?;
    let customers = arrive(&desk, &staff, cli.clients, seed).await?;

    let (stop, stopped) = watch::channel(false);
    let auditor = tokio::spawn(audit(place.db.clone(), stopped));
    let until = Instant::now() + Duration::from_secs(cli.seconds);
    let mut dice = Dice::new(!seed);
    let lives =
        async { tokio::try_join!(live(customers, until), disturb(&mut gateway, &place, &mut dice, until)) };
    let (customers, kills) = tokio::select! {
        lived = lives => lived?,
        failed = staff.stay_fresh() => return Err(failed.err().context("the staff left")?),
    };
    settle(&place, customers.iter().map(|customer| customer.account.payments()).sum()).await?;
    stop.send(true)?;
    let audit = auditor.await??;

    report(&desk, &customers, &audit, kills)?;
    let closing = Closing { gateway: &gateway, desk: &desk, customers: &customers, audit: &audit };
    let concluded = conclude(&judge(&closing).await?);
    gateway.kill().await?;
    drop(sandbox);
    concluded
}

async fn arrive(desk: &Desk, staff: &Staff, clients: usize, seed: u64) -> anyhow::Result<Vec<Customer>> {
    let plans = desk.plans().await?;
    let mut customers = Vec::with_capacity(clients);
    let mut arriving = JoinSet::new();
    for number in 0..clients {
        let (desk, staff, plans) = (desk.clone(), staff.clone(), plans.clone());
        let dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(u64::try_from(number)?));
        arriving.spawn(Customer::arrive(desk, staff, plans, dice));
        if arriving.len() == ARRIVALS
            && let Some(arrived) = arriving.join_next().await
        {
            customers.push(arrived??);
        }
    }
    while let Some(arrived) = arriving.join_next().await {
        customers.push(arrived??);
    }
    Ok(customers)
}

async fn live(customers: Vec<Customer>, until: Instant) -> anyhow::Result<Vec<Customer>> {
    let mut living: JoinSet<_> = customers.into_iter().map(|customer| customer.live(until)).collect();
    let mut lived = Vec::with_capacity(living.len());
    while let Some(ended) = living.join_next().await {
        lived.push(ended??);
    }
    Ok(lived)
}

fn report(desk: &Desk, customers: &[Customer], audit: &Audit, kills: u32) -> anyhow::Result<()> {
    let sum = |of: fn(&Customer) -> usize| customers.iter().map(of).sum::<usize>();
    let (payments, boosts) = (sum(|one| one.account.payments()), sum(|one| one.account.boosts()));
    let (refunds, refused) = (sum(|one| one.account.refunds()), sum(|one| one.account.refusals()));
    let rows = [
        ("top-ups", payments),
        ("boosts", boosts),
        ("refunds", refunds),
        ("refused for want of money", refused),
        ("calls repeated", usize::try_from(desk.repeats())?),
        ("SIGKILL", usize::try_from(kills)?),
        ("totals read", audit.reads),
    ];
    for (name, value) in rows {
        say(&format!("  {name:<26}{value:>8}"))?;
    }
    ensure!(
        rows.iter().all(|(_, value)| *value > 0),
        "the run was too short to show anything: give it more seconds"
    );
    Ok(())
}
