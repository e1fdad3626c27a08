//! The load of `make bench` on two gateways: a person does something at one and hears of it over a socket of the other.
//! Prints one line of JSON.

use std::io::Write;
use std::time::{Duration, Instant};

use acceptance::bench::percentile;
use acceptance::client::Client;
use acceptance::ears::Ears;
use anyhow::ensure;
use clap::Parser;
use secrecy::SecretString;
use serde_json::json;

/// Measures how long it takes from the request at one gateway to the event at the other.
#[derive(Debug, Parser)]
struct Cli {
    /// Where it is done, such as `http://127.0.0.1:4000`.
    #[arg(long)]
    from: String,
    /// Where it is heard.
    #[arg(long)]
    to: String,
    /// A seller's access token.
    #[arg(long, env = "BENCH_TOKEN", hide_env_values = true)]
    token: SecretString,
    /// The seller's ACTIVE listing, which is paused and resumed in turns.
    #[arg(long)]
    listing: String,
    /// How often.
    #[arg(long, default_value_t = 500)]
    hops: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let gateway = Client::new(&cli.from)?;
    let mut ears = Ears::with_token(&cli.to, "the seller", &cli.token).await?;
    let mut latencies = Vec::with_capacity(cli.hops);
    for (hop, (step, status)) in
        [("pause", "PAUSED"), ("resume", "ACTIVE")].iter().cycle().take(cli.hops).enumerate()
    {
        let path = format!("/api/listings/{}/{step}", cli.listing);
        let began = Instant::now();
        let call = gateway.post(path).bearer(&cli.token);
        let (done, heard) = tokio::join!(call.done(), ears.next_named("listing:updated"));
        done?;
        latencies.push(began.elapsed());
        let heard = heard?;
        ensure!(heard.get("status") == Some(&json!(status)), "hop {hop} was told wrongly: {heard}");
        // As people do, and so that what is measured is never the rest of what was before.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let report = json!({
        "hops": cli.hops, "p50_ms": percentile(&mut latencies, 50), "p99_ms": percentile(&mut latencies, 99),
    });
    writeln!(std::io::stdout().lock(), "{report}")?;
    Ok(())
}
