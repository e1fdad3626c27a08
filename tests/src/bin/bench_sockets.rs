//! The load of `make bench` on Socket.IO servers: many sockets in one room, one emitter, some broadcasts in flight.
//! Prints one line of JSON.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use acceptance::bench::{AT_ONCE, Listener, Room, connect, percentile};
use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::json;

/// Measures a Socket.IO server.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the server listens, such as 127.0.0.1:3000.
    #[arg(long)]
    address: String,
    /// Its process, whose CPU and memory are read.
    #[arg(long)]
    server_pid: u32,
    /// Sockets in the room. The memory of one is told by those after the first fifty.
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// Broadcasts in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_value = "1,4,16")]
    in_flight: Vec<usize>,
    /// Of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Before each measurement.
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// How long the sockets are left idle before the server's memory is read.
    #[arg(long, default_value_t = 3)]
    settle: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    ensure!(cli.sockets > AT_ONCE, "--sockets must be more than {AT_ONCE}");
    // With the first sockets comes what the server has once: its own code, and what it keeps of requests to use again.
    let emitter = Listener::connect(&cli.address).await?;
    let mut listeners = connect(&cli.address, AT_ONCE).await?;
    tokio::time::sleep(Duration::from_secs(cli.settle)).await;
    let before = resident_kib(cli.server_pid)?;
    let more = connect(&cli.address, cli.sockets - listeners.len()).await?;
    let count = whole(more.len())?;
    listeners.extend(more);
    let everybody = whole(listeners.len() + 1)?;
    let mut room = Room::new(listeners, emitter);
    tokio::time::sleep(Duration::from_secs(cli.settle)).await;
    let idle = resident_kib(cli.server_pid)?;
    let idle_kib = (idle - before) / count;
    let mut results = Vec::new();
    for in_flight in &cli.in_flight {
        room.run(*in_flight, Duration::from_secs(cli.warm_up)).await?;
        let cpu = cpu_seconds(cli.server_pid)?;
        let began = Instant::now();
        let mut latencies = room.run(*in_flight, Duration::from_secs(cli.seconds)).await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_seconds(cli.server_pid)? - cpu;
        let deliveries = whole(latencies.len())? * whole(cli.sockets)?;
        results.push(json!({
            "in_flight": in_flight, "deliveries": deliveries, "seconds": seconds, "server_cpu_s": cpu,
            "per_second": deliveries / seconds, "per_cpu_second": deliveries / cpu,
            "p50_ms": percentile(&mut latencies, 50), "p99_ms": percentile(&mut latencies, 99),
        }));
    }
    // What the load left behind is everybody's.
    let after_kib = idle_kib + (resident_kib(cli.server_pid)? - idle) / everybody;
    let report = json!({
        "sockets": cli.sockets, "idle_kib_per_socket": idle_kib, "loaded_kib_per_socket": after_kib, "results": results,
    });
    writeln!(std::io::stdout().lock(), "{report}")?;
    Ok(())
}

fn whole(count: usize) -> anyhow::Result<f64> {
    Ok(f64::from(u32::try_from(count)?))
}

/// CPU time of a process so far, of its threads together.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat")))?;
    let (_, fields) = text.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).context("a short stat")?.parse::<f64>().context("ticks");
    // Linux counts them a hundred to the second for whoever looks.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn resident_kib(pid: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")
}
