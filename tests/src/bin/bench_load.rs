//! Fills a database for `make bench`, and prints what can be asked for.

use std::io::Write;

use acceptance::bench::{Filled, Sellers, TokenNames, fill, log_in_sellers};
use clap::Parser;
use kernel::Ambient;
use serde::Serialize;
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
    /// How many sellers with money and a listing each to log in besides; their access tokens are printed too.
    #[arg(long, default_value_t = 0)]
    sellers: usize,
    /// Who issues their tokens.
    #[arg(long, default_value = "bench")]
    issuer: String,
    /// Who takes their tokens.
    #[arg(long, default_value = "bench")]
    audience: String,
}

/// What is printed.
#[derive(Debug, Serialize)]
struct Loaded {
    #[serde(flatten)]
    filled: Filled,
    boosts: Sellers,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let db = Database::connect(&DatabaseConfig::new(cli.url)).await?;
    let ambient = Ambient::system();
    let names = TokenNames { issuer: cli.issuer, audience: cli.audience };
    let loaded = Loaded {
        filled: fill(&db, &ambient, cli.listings, cli.seed).await?,
        boosts: log_in_sellers(&db, &ambient, cli.sellers, &names).await?,
    };
    db.close().await?;
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&loaded)?)?)
}
