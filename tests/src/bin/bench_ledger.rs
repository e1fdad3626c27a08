//! Measures the ledger for `make bench`, and checks the books after boosts.

use std::io::Write;
use std::time::Duration;

use acceptance::bench::{Form, Load, check_boosts, measure};
use clap::Parser;
use mimalloc::MiMalloc;

/// The gateway's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Prints what it found as JSON.
#[derive(Debug, Parser)]
enum Cli {
    /// Posts into an empty database for a while, and proves that the books are right.
    Measure {
        /// The database.
        #[arg(long)]
        url: String,
        /// What is posted, and how.
        #[arg(long)]
        form: Form,
        /// How many post at once.
        #[arg(long, default_value_t = 32)]
        callers: usize,
        /// How many wallets they post to.
        #[arg(long, default_value_t = 1_000)]
        wallets: usize,
        /// Seconds before it counts.
        #[arg(long, default_value_t = 2)]
        warm_up: u64,
        /// Seconds that count.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Checks that boosts are there and paid for, and that the books are right.
    CheckBoosts {
        /// The database.
        #[arg(long)]
        url: String,
        /// How many were acknowledged.
        #[arg(long)]
        acknowledged: u64,
        /// How many may be there besides, because nobody waited for their answer.
        #[arg(long)]
        unanswered: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let found = match Cli::parse() {
        Cli::Measure { url, form, callers, wallets, warm_up, seconds } => {
            let (warm_up, counted) = (Duration::from_secs(warm_up), Duration::from_secs(seconds));
            serde_json::to_value(measure(&url, form, Load { callers, wallets, warm_up, counted }).await?)?
        }
        Cli::CheckBoosts { url, acknowledged, unanswered } => {
            serde_json::json!({ "boosts": check_boosts(&url, acknowledged, unanswered).await? })
        }
    };
    Ok(writeln!(std::io::stdout(), "{found}")?)
}
