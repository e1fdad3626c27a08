//! Posting one journal in one statement, where PostgreSQL can write all of it together. It writes exactly what `plain.rs`
//! writes, and posts nothing where that would say anything but "posted": then the caller asks that one.
//!
//! It is for journals that touch one wallet, as nearly all do.

use chrono::{DateTime, Utc};
use kernel::{JournalId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, OneStatement, StoreError};

use super::digest::payload_hash;
use super::rows::{self, DELTAS, JOURNAL_ROW, JOURNALS, POSTINGS};
use super::{Change, NewJournal};

/// The write that has a row when, and only when, the journal is posted.
pub(crate) const POSTED: &str = "wallet";

/// What the wallet must have been when the statement began. Its snapshot is older than a lock that it waited for, so it
/// would overlook a refusal under the same key; whoever refuses writes the wallet's row anew, and that shows here.
const AS_IT_WAS: &str = "w.xmin = (SELECT s.xmin FROM ledger_wallets s WHERE s.user_id = ?)";

/// Whether the statement has come to the server before its deadline. One that is no part of a transaction may come long
/// after its journal got its id, when others of that moment were sealed.
pub(super) const IN_TIME: &str = "now() < CAST(? AS timestamptz)";

/// The look at the wallet that waits for nobody.
const FREE: &str = "free";
const FREE_WALLET: &str =
    "SELECT 1 FROM ledger_wallets WHERE user_id = ? AND version = ? FOR UPDATE SKIP LOCKED";

/// What the writes of a journal are part of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// A transaction, which a key in use must not make to fail.
    Transaction,
    /// A statement of their own that comes before the deadline, which then fails.
    Statement { deadline: DateTime<Utc> },
    /// Such a statement with other writes: they are made only if the gate has a row, and the wallet this version, and nobody
    /// else has that locked.
    Gated { deadline: DateTime<Utc>, gate: &'a str, version: i64 },
}

/// Adds the writes of the journal, which touches this wallet alone.
pub(super) fn add(
    writes: OneStatement,
    id: JournalId,
    journal: &NewJournal,
    (user, change): &(UserId, Change),
    now: DateTime<Utc>,
    place: Place<'_>,
) -> OneStatement {
    let writes = match place {
        Place::Gated { version, .. } => writes.with(FREE, FREE_WALLET, [user.uuid().into(), version.into()]),
        Place::Transaction | Place::Statement { .. } => writes,
    };
    let wallet = wallet_values(journal, *user, change, place);
    let row = rows::journal_values(id, journal, &payload_hash(journal), now);
    let entry = [user.uuid().into(), id.uuid().into(), journal.kind.as_str().into(), now.into()];
    let writes = writes
        .with(POSTED, &wallet_sql(change, place), wallet)
        .with("journal", &format!("INSERT INTO {JOURNALS} SELECT {JOURNAL_ROW} FROM wallet"), row)
        .with("entries", ENTRIES, entry);
    let writes = with_rows(writes, "postings", POSTINGS, rows::posting_rows(id, &journal.legs));
    with_rows(writes, "deltas", DELTAS, rows::delta_rows(id, journal))
}

/// Writes the wallets of a refused journal as they are, for those who wait for them with an older snapshot; where one
/// statement does a posting there are such.
pub(super) async fn show_refusal(txn: &DatabaseTransaction, journal: &NewJournal) -> Result<(), StoreError> {
    if Engine::of(txn.get_database_backend()) != Engine::Postgres {
        return Ok(());
    }
    for (user, _) in &journal.net.wallets {
        let update = "UPDATE ledger_wallets SET version = version WHERE user_id = ?";
        txn.execute_raw(Engine::Postgres.statement(update, [user.uuid().into()])).await?;
    }
    Ok(())
}

const ENTRIES: &str = "INSERT INTO ledger_entries (user_id, version, journal_id, kind, available, held, promo, earnings, \
                       debt, created_at) SELECT ?, version, ?, ?, available, held, promo, earnings, debt, ? FROM wallet";

fn wallet_sql(change: &Change, place: Place<'_>) -> String {
    let mut sql = format!(
        "UPDATE ledger_wallets w SET available = w.available + ?, held = w.held + ?, promo = w.promo + ?, \
         earnings = w.earnings + ?, debt = w.debt + ?, version = w.version + 1 \
         WHERE w.user_id = ? AND {AS_IT_WAS} AND w.available + ? >= 0 AND w.held + ? >= 0 AND w.promo + ? >= 0 \
         AND w.earnings + ? >= 0 AND w.debt + ? <= 0 \
         AND NOT EXISTS (SELECT 1 FROM ledger_refusals r WHERE r.idem_key = ?)"
    );
    if change.spends() {
        sql += " AND NOT w.frozen";
    }
    match place {
        Place::Statement { .. } => sql.extend([" AND ", IN_TIME]),
        Place::Transaction => sql += " AND NOT EXISTS (SELECT 1 FROM ledger_journals j WHERE j.idem_key = ?)",
        Place::Gated { gate, .. } => {
            sql.extend([" AND EXISTS (SELECT 1 FROM ", gate, ") AND EXISTS (SELECT 1 FROM ", FREE, ")"]);
            sql.extend([" AND ", IN_TIME]);
        }
    }
    sql + " RETURNING w.version, w.available, w.held, w.promo, w.earnings, w.debt"
}

fn wallet_values(journal: &NewJournal, user: UserId, change: &Change, place: Place<'_>) -> Vec<Value> {
    let changes = [change.available, change.held, change.promo, change.earnings, change.debt];
    let mut values: Vec<Value> = changes.into_iter().map(Value::from).collect();
    values.extend([user.uuid().into(), user.uuid().into()]);
    values.extend(changes.into_iter().map(Value::from));
    values.push(journal.key.as_str().into());
    values.push(match place {
        Place::Transaction => journal.key.as_str().into(),
        Place::Statement { deadline } | Place::Gated { deadline, .. } => deadline.into(),
    });
    values
}

/// Writes the rows, of which there may be none.
fn with_rows<const N: usize>(
    writes: OneStatement,
    name: &str,
    into: &str,
    rows: Vec<[Value; N]>,
) -> OneStatement {
    if rows.is_empty() {
        return writes;
    }
    let row = format!("({})", Engine::placeholders(N));
    let values = vec![row; rows.len()].join(", ");
    let sql = format!("INSERT INTO {into} SELECT v.* FROM wallet, (VALUES {values}) AS v");
    writes.with(name, &sql, rows.into_iter().flatten())
}
