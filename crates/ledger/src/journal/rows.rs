//! The SQL of journals, their postings, and the refusals under their keys.

use chrono::{DateTime, Utc};
use kernel::{JournalId, Money, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::{Leg, NewJournal, Refusal, Settled};
use crate::{Account, Balances, House};

/// What a key names.
pub(super) struct KeyUse {
    hash: String,
    settled: Settled,
}

impl KeyUse {
    /// The answer to whoever asks under the key with a journal of this digest.
    pub(super) fn told_to(&self, hash: &str) -> Settled {
        if self.hash == hash { self.settled } else { Settled::Reused }
    }
}

/// What the key names, if anything. A journal comes before a refusal of another content, should two ever have raced.
pub(super) async fn find_key(conn: &impl ConnectionTrait, key: &str) -> Result<Option<KeyUse>, StoreError> {
    let select = Engine::of(conn.get_database_backend()).statement(
        "SELECT id, payload_hash, NULL AS code FROM ledger_journals WHERE idem_key = ? \
         UNION ALL SELECT NULL, payload_hash, code FROM ledger_refusals WHERE idem_key = ?",
        [key.into(), key.into()],
    );
    let rows = conn.query_all_raw(select).await?;
    let uses = rows.iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
    let journal = uses.iter().position(|used| matches!(used.settled, Settled::Known(_)));
    Ok(uses.into_iter().nth(journal.unwrap_or(0)))
}

fn read_key(row: &QueryResult) -> Result<KeyUse, StoreError> {
    let settled = match (row.try_get::<Option<Uuid>>("", "id")?, row.try_get::<Option<String>>("", "code")?) {
        (Some(id), _) => Settled::Known(id.into()),
        (None, code) => Settled::Refused(read_refusal(code.as_deref().unwrap_or_default())?),
    };
    Ok(KeyUse { hash: row.try_get("", "payload_hash")?, settled })
}

pub(super) fn read_refusal(code: &str) -> Result<Refusal, StoreError> {
    Refusal::parse(code).ok_or_else(|| StoreError::Corrupt(format!("a refusal's code is {code}")))
}

/// The table of journals with the columns that are written.
pub(super) const JOURNALS: &str = "ledger_journals (id, idem_key, payload_hash, kind, currency, ref_type, ref_id, \
                                   reverses_id, actor_type, actor_id, reason, event_at, created_at)";
/// A row of it.
pub(super) const JOURNAL_ROW: &str = "?, ?, ?, ?, 'INR', ?, ?, ?, ?, ?, ?, ?, ?";

/// The values of the row.
pub(super) fn journal_values(
    id: JournalId,
    journal: &NewJournal,
    hash: &str,
    now: DateTime<Utc>,
) -> [Value; 12] {
    [
        id.uuid().into(),
        journal.key.as_str().into(),
        hash.into(),
        journal.kind.as_str().into(),
        journal.ref_type.as_ref().into(),
        journal.ref_id.as_str().into(),
        journal.reverses.map(TypedId::uuid).into(),
        journal.actor_type.into(),
        journal.actor_id.as_str().into(),
        journal.reason.as_deref().into(),
        journal.event_at.unwrap_or(now).into(),
        now.into(),
    ]
}

/// Writes the journal unless its key is taken.
pub(super) async fn insert_journal(
    txn: &DatabaseTransaction,
    id: JournalId,
    journal: &NewJournal,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = format!("INSERT INTO {JOURNALS} VALUES ({JOURNAL_ROW})");
    let values = journal_values(id, journal, hash, now);
    insert_if_absent(txn, Engine::of(txn.get_database_backend()).statement(&sql, values)).await
}

/// Remembers the refusal unless its key is taken.
pub(super) async fn insert_refusal(
    txn: &DatabaseTransaction,
    key: &str,
    hash: &str,
    refusal: Refusal,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let insert = Engine::of(txn.get_database_backend()).statement(
        "INSERT INTO ledger_refusals (idem_key, payload_hash, code, created_at) VALUES (?, ?, ?, ?)",
        [key.into(), hash.into(), refusal.as_str().into(), now.into()],
    );
    insert_if_absent(txn, insert).await
}

/// The table of postings with its columns.
pub(super) const POSTINGS: &str =
    "ledger_postings (journal_id, seq, from_kind, from_user, to_kind, to_user, amount)";

/// The rows of the journal's legs, numbered from 1.
pub(super) fn posting_rows(id: JournalId, legs: &[Leg]) -> Vec<[Value; 7]> {
    let row = |(seq, leg): (i32, &Leg)| {
        [
            id.uuid().into(),
            seq.into(),
            leg.from.kind().into(),
            leg.from.user().map(TypedId::uuid).into(),
            leg.to.kind().into(),
            leg.to.user().map(TypedId::uuid).into(),
            leg.amount.amount().into(),
        ]
    };
    (1..).zip(legs).map(row).collect()
}

/// Writes the journal's legs.
pub(super) async fn insert_postings(
    txn: &DatabaseTransaction,
    id: JournalId,
    legs: &[Leg],
) -> Result<(), StoreError> {
    insert_rows(txn, POSTINGS, posting_rows(id, legs)).await
}

/// Writes a line into the history of each wallet that the journal touched.
pub(super) async fn insert_entries(
    txn: &DatabaseTransaction,
    id: JournalId,
    journal: &NewJournal,
    after: &[(UserId, Balances)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows = after.iter().map(|(user, wallet)| -> [Value; 10] {
        [
            user.uuid().into(),
            wallet.version.into(),
            id.uuid().into(),
            journal.kind.as_str().into(),
            wallet.available.amount().into(),
            wallet.held.amount().into(),
            wallet.promo.amount().into(),
            wallet.earnings.amount().into(),
            wallet.debt.amount().into(),
            now.into(),
        ]
    });
    let into = "ledger_entries (user_id, version, journal_id, kind, available, held, promo, earnings, debt, created_at)";
    insert_rows(txn, into, rows.collect()).await
}

/// The table of deltas with its columns.
pub(super) const DELTAS: &str = "ledger_deltas (kind, journal_id, amount)";

/// The rows of what the journal does to the house's accounts.
pub(super) fn delta_rows(id: JournalId, journal: &NewJournal) -> Vec<[Value; 3]> {
    let row = |(house, amount): &(House, i64)| [house.as_str().into(), id.uuid().into(), (*amount).into()];
    journal.net.houses.iter().map(row).collect()
}

/// Writes what the journal does to the house's accounts, for the folding.
pub(super) async fn insert_deltas(
    txn: &DatabaseTransaction,
    id: JournalId,
    journal: &NewJournal,
) -> Result<(), StoreError> {
    insert_rows(txn, DELTAS, delta_rows(id, journal)).await
}

/// One statement for all rows; none for no rows.
async fn insert_rows<const N: usize>(
    txn: &DatabaseTransaction,
    into: &str,
    rows: Vec<[Value; N]>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let row = format!("({})", Engine::placeholders(N));
    let sql = format!("INSERT INTO {into} VALUES {}", vec![row; rows.len()].join(", "));
    let insert = Engine::of(txn.get_database_backend()).statement(&sql, rows.into_iter().flatten());
    txn.execute_raw(insert).await?;
    Ok(())
}

/// The legs of a journal, in their order.
pub(crate) async fn legs(conn: &impl ConnectionTrait, journal: JournalId) -> Result<Vec<Leg>, StoreError> {
    let select = Engine::of(conn.get_database_backend()).statement(
        "SELECT from_kind, from_user, to_kind, to_user, amount FROM ledger_postings WHERE journal_id = ? ORDER BY seq",
        [journal.uuid().into()],
    );
    conn.query_all_raw(select).await?.iter().map(read_leg).collect()
}

/// A leg from the columns `from_kind`, `from_user`, `to_kind`, `to_user` and `amount`.
pub(crate) fn read_leg(row: &QueryResult) -> Result<Leg, StoreError> {
    let account = |kind: &str, user: &str| {
        let kind: String = row.try_get("", kind)?;
        let user = row.try_get::<Option<Uuid>>("", user)?.map(UserId::from);
        Account::read(&kind, user)
            .ok_or_else(|| StoreError::Corrupt(format!("a posting names the account {kind}")))
    };
    let amount = Money::inr(row.try_get("", "amount")?);
    Ok(Leg::new(account("from_kind", "from_user")?, account("to_kind", "to_user")?, amount))
}

/// A journal as far as its reversal needs it.
pub(super) struct Original {
    pub(super) is_reversal: bool,
    pub(super) ref_type: String,
    pub(super) ref_id: String,
}

/// The journal of an id.
pub(super) async fn find_original(
    conn: &impl ConnectionTrait,
    id: JournalId,
) -> Result<Option<Original>, StoreError> {
    let select = Engine::of(conn.get_database_backend()).statement(
        "SELECT reverses_id, ref_type, ref_id FROM ledger_journals WHERE id = ?",
        [id.uuid().into()],
    );
    let Some(row) = conn.query_one_raw(select).await? else { return Ok(None) };
    Ok(Some(Original {
        is_reversal: row.try_get::<Option<Uuid>>("", "reverses_id")?.is_some(),
        ref_type: row.try_get("", "ref_type")?,
        ref_id: row.try_get("", "ref_id")?,
    }))
}

/// The journal that the key names.
pub(super) async fn journal_of_key(
    conn: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<JournalId>, StoreError> {
    let select = Engine::of(conn.get_database_backend())
        .statement("SELECT id FROM ledger_journals WHERE idem_key = ?", [key.into()]);
    let row = conn.query_one_raw(select).await?;
    Ok(row.map(|row| row.try_get::<Uuid>("", "id")).transpose()?.map(JournalId::from))
}
