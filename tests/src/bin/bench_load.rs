//! Fills a database for `make bench`, and prints what can be asked for.

use std::io::Write;

use acceptance::bench::fill;
use clap::Parser;
use kernel::Ambient;
use store::{Database, DatabaseConfig};

/// Writes ACTIVE listings into a migrated and seeded database, and prints ids and filters as JSON.
#[derive(Debug, Parser)]
struct Cli {
    /// The database.
    #[arg(long)]
    url: String,
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    listings: usize,
    /// Decides what is sold.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let db = Database::connect(&DatabaseConfig::new(cli.url)).await?;
    let filled = fill(&db, &Ambient::system(), cli.listings, cli.seed).await?;
    db.close().await?;
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&filled)?)?)
}
