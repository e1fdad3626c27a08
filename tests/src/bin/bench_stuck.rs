//! The load of `make bench` on a Socket.IO server of ours in which one of many sockets does not read: what the others
//! feel of it, beside rounds without it in the same run. Prints one line of JSON.

use std::io::Write;
use std::time::Duration;

use acceptance::bench::{Listener, Room, StuckReader, connect, percentile};
use clap::Parser;
use serde_json::json;

/// Measures what one stuck reader does to the others.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the server listens, such as 127.0.0.1:3000.
    #[arg(long)]
    address: String,
    /// Sockets in the room that read.
    #[arg(long, default_value_t = 1_000)]
    sockets: usize,
    /// Broadcasts in flight.
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
    /// Of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Before the first.
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// Measurements of each kind, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let time = Duration::from_secs(cli.seconds);
    let listeners = connect(&cli.address, cli.sockets).await?;
    let mut room = Room::new(listeners, Listener::connect(&cli.address).await?);
    room.run(cli.in_flight, Duration::from_secs(cli.warm_up)).await?;
    let mut rounds = Vec::new();
    for _ in 0..cli.rounds {
        let mut alone = room.run(cli.in_flight, time).await?;
        let stuck = StuckReader::enter(&cli.address).await?;
        let mut beside = room.run(cli.in_flight, time).await?;
        rounds.push(json!({
            "alone_p99_ms": percentile(&mut alone, 99), "beside_p99_ms": percentile(&mut beside, 99),
            "alone_p50_ms": percentile(&mut alone, 50), "beside_p50_ms": percentile(&mut beside, 50),
            "was_cut": stuck.was_cut().await,
        }));
    }
    writeln!(std::io::stdout().lock(), "{}", json!({ "sockets": cli.sockets, "rounds": rounds }))?;
    Ok(())
}
