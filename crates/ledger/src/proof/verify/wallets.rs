//! Wallets: each is the replay of its history, whose versions follow each other and whose balances do, too.

use std::collections::{HashMap, VecDeque};

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::stored::{self, StoredPosting};
use super::{PAGE, Part, RowOf, Run, Stop};
use crate::account::Purse;
use crate::books::sum_of;

/// Balances in the order of [`Purse::ALL`].
type Balances = [i64; 5];

struct StoredWallet {
    user: Uuid,
    balances: Balances,
    version: i64,
}

struct StoredEntry {
    user: Uuid,
    version: i64,
    journal: Uuid,
    balances: Balances,
    /// The legs of its journal that touch the user.
    legs: Vec<StoredPosting>,
}

/// Checks all wallets in the order of their users; gives what all of them hold.
pub(super) async fn check(run: &mut Run<'_>) -> Result<i128, Stop> {
    let mut entries = Entries::new(run.conn);
    let mut total = 0;
    let mut after = Uuid::nil();
    loop {
        let wallets = page(run.conn, after).await?;
        let Some(last) = wallets.last().map(|wallet| wallet.user) else { break };
        let held = open_holds(run.conn, after, last).await?;
        for wallet in &wallets {
            let key = format!("user_id {}", wallet.user);
            let row = RowOf { table: "ledger_wallets", key: &key };
            let (version, balances) = replay(&mut entries, wallet.user, &mut run.report.entries).await?;
            row.check("version", version, wallet.version)?;
            check_balances(&row, &balances, &wallet.balances)?;
            let expected = held.get(&wallet.user).copied().unwrap_or_default();
            let [_, found, ..] = wallet.balances;
            row.check("held (the sum of the open holds)", expected, found)?;
            total += wallet.balances.iter().copied().map(i128::from).sum::<i128>();
            run.report.wallets += 1;
        }
        after = last;
        let checked = run.report.wallets;
        run.tell(Part::Wallets, checked);
    }
    match entries.next_if(|_| true).await? {
        None => Ok(total),
        Some(entry) => Err(stray(&entry)),
    }
}

/// Walks through a user's history; gives the version and the balances that it ends with.
async fn replay(entries: &mut Entries<'_>, user: Uuid, count: &mut u64) -> Result<(i64, Balances), Stop> {
    let (mut version, mut balances) = (0, Balances::default());
    while let Some(entry) = entries.next_if(|entry| entry.user <= user).await? {
        if entry.user != user {
            return Err(stray(&entry));
        }
        let key = format!("user_id {user}, version {}", entry.version);
        let row = RowOf { table: "ledger_entries", key: &key };
        version += 1;
        row.check("version", version, entry.version)?;
        for leg in &entry.legs {
            apply(&mut balances, user, leg);
        }
        check_balances(&row, &balances, &entry.balances)?;
        *count += 1;
    }
    Ok((version, balances))
}

fn stray(entry: &StoredEntry) -> Stop {
    let key = format!("user_id {}, version {}", entry.user, entry.version);
    RowOf { table: "ledger_entries", key: &key }.wrong("user_id", "a wallet's", "no wallet's")
}

fn check_balances(row: &RowOf<'_>, expected: &Balances, found: &Balances) -> Result<(), Stop> {
    let pairs = expected.iter().zip(found);
    Purse::ALL
        .into_iter()
        .zip(pairs)
        .try_for_each(|(purse, (expected, found))| row.check(purse.as_str(), expected, found))
}

/// What does not fit 64 bits stays at their end, and is then not what the row says.
fn apply(balances: &mut Balances, user: Uuid, leg: &StoredPosting) {
    for (balance, purse) in balances.iter_mut().zip(Purse::ALL) {
        if leg.from.user == Some(user) && leg.from.kind == purse.as_str() {
            *balance = balance.saturating_sub(leg.amount);
        }
        if leg.to.user == Some(user) && leg.to.kind == purse.as_str() {
            *balance = balance.saturating_add(leg.amount);
        }
    }
}

async fn page(conn: &impl ConnectionTrait, after: Uuid) -> Result<Vec<StoredWallet>, StoreError> {
    let sql = format!(
        "SELECT user_id, available, held, promo, earnings, debt, version FROM ledger_wallets \
         WHERE user_id > ? ORDER BY user_id LIMIT {PAGE}"
    );
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, [after.into()]);
    conn.query_all_raw(statement)
        .await?
        .iter()
        .map(|row| {
            Ok(StoredWallet {
                user: row.try_get("", "user_id")?,
                balances: read_balances(row)?,
                version: row.try_get("", "version")?,
            })
        })
        .collect()
}

fn read_balances(row: &QueryResult) -> Result<Balances, StoreError> {
    let mut balances = Balances::default();
    for (balance, purse) in balances.iter_mut().zip(Purse::ALL) {
        *balance = row.try_get("", purse.as_str())?;
    }
    Ok(balances)
}

/// The sums of the open holds of the users after one and up to another.
async fn open_holds(
    conn: &impl ConnectionTrait,
    after: Uuid,
    up_to: Uuid,
) -> Result<HashMap<Uuid, i64>, StoreError> {
    let engine = Engine::of(conn.get_database_backend());
    let sql = format!(
        "SELECT user_id, {} AS held FROM ledger_holds WHERE status = 'open' AND user_id > ? AND user_id <= ? \
         GROUP BY user_id",
        sum_of(engine, "amount")
    );
    let rows = conn.query_all_raw(engine.statement(&sql, [after.into(), up_to.into()])).await?;
    rows.iter().map(|row| Ok((row.try_get("", "user_id")?, row.try_get("", "held")?))).collect()
}

/// All entries by user and version, read a page ahead.
struct Entries<'a> {
    conn: &'a DatabaseTransaction,
    page: VecDeque<StoredEntry>,
    after: (Uuid, i64),
}

impl<'a> Entries<'a> {
    fn new(conn: &'a DatabaseTransaction) -> Self {
        Self { conn, page: VecDeque::new(), after: (Uuid::nil(), 0) }
    }

    /// The next entry, if it is wanted.
    async fn next_if(
        &mut self,
        is_wanted: impl FnOnce(&StoredEntry) -> bool + Send,
    ) -> Result<Option<StoredEntry>, StoreError> {
        if self.page.is_empty() {
            self.page = read_entries(self.conn, self.after).await?;
            self.after = self.page.back().map_or(self.after, |last| (last.user, last.version));
        }
        Ok(self.page.pop_front_if(|entry| is_wanted(entry)))
    }
}

async fn read_entries(
    conn: &impl ConnectionTrait,
    (user, version): (Uuid, i64),
) -> Result<VecDeque<StoredEntry>, StoreError> {
    let sql = format!(
        "SELECT user_id, version, journal_id, available, held, promo, earnings, debt FROM ledger_entries \
         WHERE user_id >= ? AND (user_id > ? OR version > ?) ORDER BY user_id, version LIMIT {PAGE}"
    );
    let values: [Value; 3] = [user.into(), user.into(), version.into()];
    let rows = conn.query_all_raw(Engine::of(conn.get_database_backend()).statement(&sql, values)).await?;
    let mut entries = rows.iter().map(read_entry).collect::<Result<VecDeque<_>, _>>()?;
    let postings = stored::postings_of(conn, entries.iter().map(|entry| entry.journal).collect()).await?;
    for entry in &mut entries {
        entry.legs = postings.get(&entry.journal).cloned().unwrap_or_default();
    }
    Ok(entries)
}

fn read_entry(row: &QueryResult) -> Result<StoredEntry, StoreError> {
    Ok(StoredEntry {
        user: row.try_get("", "user_id")?,
        version: row.try_get("", "version")?,
        journal: row.try_get("", "journal_id")?,
        balances: read_balances(row)?,
        legs: Vec::new(),
    })
}
