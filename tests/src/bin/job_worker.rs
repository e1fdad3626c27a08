//! One worker process of the job crash run. It works until its standard input ends, or until it is killed.

use std::io;
use std::time::Duration;

use acceptance::job_crash::{CountedEffect, WorkerArgs, connect};
use clap::Parser;
use kernel::Ambient;
use store::{Backoff, Worker, WorkerConfig};
use tokio::sync::oneshot;

/// A worker to be killed: started by `job_crash`.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    worker: WorkerArgs,
    /// Which process this is.
    #[arg(long)]
    number: i32,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let Cli { worker, number } = Cli::parse();
    let db = connect(&worker.url).await?;
    let ambient = Ambient::system();
    let effect = CountedEffect {
        db: db.clone(),
        ambient: ambient.clone(),
        worker: number,
        work: Duration::from_millis(worker.work_ms),
    };
    let config = WorkerConfig {
        concurrency: worker.concurrency,
        lease: Duration::from_millis(worker.lease_ms),
        poll: Duration::from_millis(100),
        backoff: Backoff { base: Duration::from_millis(50), cap: Duration::from_secs(1) },
    };
    let worker = Worker::new(db, ambient, config).with(effect);
    worker.run(end_of_input(), Duration::from_secs(5)).await;
    Ok(())
}

/// Completes when whoever started this process lets go of it.
async fn end_of_input() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        drop(ended);
    });
    let _ = end.await;
}
