//! Journals per second: many callers who post to many wallets at once, and the proof that the books are right afterwards.

mod bare;
mod proof;
mod till;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;
use kernel::{Ambient, CursorCodec, Money, UserId};
use ledger::{Ledger, LedgerConfig, templates};
use migrations::{Domain, Scope};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use store::{Database, DatabaseConfig, Engine};
use tokio::task::JoinSet;

pub use proof::check_boosts;
use till::Till;

use crate::dice::Dice;

/// What a wallet holds at first, in paise: more than any run can spend.
const FUNDS: Money = Money::inr(1_000_000_000_000);

/// What is posted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Top-ups, each in a transaction of its own.
    Single,
    /// Top-ups through the posting service.
    Poster,
    /// Charges in a transaction of their own each, all into the accounts of boosts.
    Hot,
    /// The same charges, spread over all accounts of the house.
    Spread,
    /// Top-ups by nothing but the statements themselves; on SQLite.
    Bare,
}

/// How much is posted.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many callers post at once; servers are asked over as many connections.
    pub callers: usize,
    /// How many wallets they post to.
    pub wallets: usize,
    /// For how long nothing is counted.
    pub warm_up: Duration,
    /// For how long it is.
    pub counted: Duration,
}

/// What was posted.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// Journals that were acknowledged in the time that counts.
    pub journals: u64,
    /// That time.
    pub seconds: f64,
}

/// The time in which callers post, and the part of it that counts.
#[derive(Debug, Clone, Copy)]
struct Window {
    counts_from: Instant,
    ends: Instant,
}

/// What one caller, or all of them, had acknowledged.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    all: u64,
    counted: u64,
}

/// Migrates an empty database, posts into it, and proves that every journal that was acknowledged is there, once, and
/// that the books are right.
///
/// # Errors
/// When the database fails, a journal is refused, or the proof fails.
pub async fn measure(url: &str, form: Form, load: Load) -> anyhow::Result<Measured> {
    let config = DatabaseConfig {
        max_connections: u32::try_from(load.callers)?,
        // Callers wait for each other: that is what is measured.
        acquire_timeout: Duration::from_secs(30),
        ..DatabaseConfig::new(url)
    };
    migrations::migrate(&config, Scope::Domain(Domain::Ledger)).await?;
    let db = Database::connect(&config).await?;
    let ambient = Ambient::system();
    let cursors = CursorCodec::new(&ambient.random_bytes::<32>());
    let ledger = Ledger::new(db.clone(), ambient.clone(), LedgerConfig { cursors });
    let users = fund(&ledger, &ambient, load.wallets).await?;
    if db.engine() == Engine::Postgres {
        // As in a database that has been there for a while: without statistics its plans are for empty tables.
        db.schema_connection().execute_unprepared("VACUUM (ANALYZE)").await?;
    }
    let till = Till::open(form, url, &ledger, &ambient).await?;
    let tally = call_all(till, users.clone(), load).await?;
    let journals = tally.all + u64::try_from(users.len())?;
    match form {
        Form::Bare => proof::of_bare_rows(&db, journals).await?,
        Form::Single | Form::Poster | Form::Hot | Form::Spread => proof::of_books(&ledger, journals).await?,
    }
    db.close().await?;
    Ok(Measured { journals: tally.counted, seconds: load.counted.as_secs_f64() })
}

/// Wallets with something in them.
async fn fund(ledger: &Ledger, ambient: &Ambient, wallets: usize) -> anyhow::Result<Arc<[UserId]>> {
    let users: Arc<[UserId]> = (0..wallets).map(|_| ambient.new_id()).collect();
    let poster = ledger.poster();
    let mut posting = JoinSet::new();
    for user in users.iter().copied() {
        let journal = templates::top_up(&format!("pay_{user}"), user, FUNDS)?;
        let poster = poster.clone();
        posting.spawn(async move { poster.post(journal).await });
    }
    while let Some(posted) = posting.join_next().await {
        posted??.journal().context("a wallet was not funded")?;
    }
    Ok(users)
}

async fn call_all(till: Till, users: Arc<[UserId]>, load: Load) -> anyhow::Result<Tally> {
    let counts_from = Instant::now() + load.warm_up;
    let window = Window { counts_from, ends: counts_from + load.counted };
    let mut callers = JoinSet::new();
    for seed in (0..).take(load.callers) {
        callers.spawn(call(till.clone(), Arc::clone(&users), window, Dice::new(seed)));
    }
    let mut all = Tally::default();
    while let Some(ended) = callers.join_next().await {
        let tally = ended??;
        all = Tally { all: all.all + tally.all, counted: all.counted + tally.counted };
    }
    Ok(all)
}

/// One caller: the next journal when the last one is acknowledged.
async fn call(till: Till, users: Arc<[UserId]>, window: Window, mut dice: Dice) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    while Instant::now() < window.ends {
        let user = users.get(dice.index(users.len())).context("there are no wallets")?;
        till.post(*user, &mut dice).await?;
        tally.all += 1;
        let acknowledged = Instant::now();
        if window.counts_from <= acknowledged && acknowledged < window.ends {
            tally.counted += 1;
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests;
