//! Seals: ranges of journals that are closed, each with a Merkle root and the hash of the seal before it.
//!
//! Whoever changes a sealed journal must forge every seal from there on, and a hash that was written down elsewhere
//! shows even that. Journals get their ids before they commit, so only those older than the longest transaction are
//! sealed: a seal's range is complete.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, QueryResult};
use sha2::{Digest, Sha256};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use super::merkle::{Hash, Tree};
use super::stored::{self, Canonical, Range, StoredJournal};
use crate::{Ledger, LedgerError};

/// The most journals under one seal.
const LARGEST: u64 = 1_000;

/// What a round of sealing came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Seals that were written.
    pub seals: u64,
    /// Journals under them.
    pub journals: u64,
}

/// A seal, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) n: i64,
    pub(super) first: Uuid,
    pub(super) last: Uuid,
    pub(super) journals: i64,
    /// The sum of the amounts of all postings, in paise.
    pub(super) total: i64,
    pub(super) root: String,
    pub(super) prev_hash: String,
    pub(super) hash: String,
    pub(super) created_at: DateTime<Utc>,
}

/// What a range of journals comes to, gathered one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    pub(super) first: Option<Uuid>,
    pub(super) last: Option<Uuid>,
    pub(super) journals: i64,
    total: i128,
    tree: Tree,
}

impl Gathered {
    pub(super) fn add(&mut self, journal: &StoredJournal) {
        self.first = self.first.or(Some(journal.id));
        self.last = Some(journal.id);
        self.journals += 1;
        self.total += journal.postings.iter().map(|posting| i128::from(posting.amount)).sum::<i128>();
        self.tree.push(&journal.canonical());
    }

    /// The sum, cut to 64 bits: the root tells what the sum cannot.
    pub(super) fn total(&self) -> i64 {
        i64::try_from(self.total).unwrap_or(i64::MAX)
    }

    pub(super) fn root(&self) -> String {
        hex::encode(self.tree.root())
    }
}

impl Seal {
    /// What the first seal names as the hash before it.
    pub(super) fn origin() -> String {
        hex::encode(Hash::default())
    }

    /// The hash over all other columns.
    pub(super) fn reckoned_hash(&self) -> String {
        let mut bytes = Canonical::new("dgt-ledger-seal-1");
        bytes.number(self.n);
        bytes.field(self.first.as_bytes());
        bytes.field(self.last.as_bytes());
        bytes.number(self.journals);
        bytes.number(self.total);
        bytes.field(self.root.as_bytes());
        bytes.field(self.prev_hash.as_bytes());
        bytes.number(self.created_at.timestamp_micros());
        hex::encode(Sha256::digest(bytes.finish()))
    }

    /// The seal that follows another, or the first.
    fn after(previous: Option<&Self>, gathered: &Gathered, created_at: DateTime<Utc>) -> Option<Self> {
        let mut seal = Self {
            n: previous.map_or(1, |seal| seal.n + 1),
            first: gathered.first?,
            last: gathered.last?,
            journals: gathered.journals,
            total: gathered.total(),
            root: gathered.root(),
            prev_hash: previous.map_or_else(Self::origin, |seal| seal.hash.clone()),
            hash: String::new(),
            created_at,
        };
        seal.hash = seal.reckoned_hash();
        Some(seal)
    }
}

impl Ledger {
    /// Seals the journals that are older than the delay and not sealed yet. When two do it at once, one of them
    /// writes each seal, and the other leaves the rest to it.
    ///
    /// The delay must be longer than any transaction that posts, and than a statement that posts may be on its way
    /// ([`PATIENCE`](crate::PATIENCE)) and run; what it is longer is how far the clocks may be apart, the database's too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seal(&self, older_than: Duration) -> Result<Sealed, LedgerError> {
        let delay = TimeDelta::from_std(older_than).unwrap_or(TimeDelta::MAX);
        let Some(edge) = self.ambient.now().checked_sub_signed(delay).and_then(last_id_before) else {
            return Ok(Sealed::default());
        };
        let mut sealed = Sealed::default();
        let mut last = newest(self.db.reader()?).await?;
        while let Some(seal) = self.seal_after(last.as_ref(), edge).await? {
            if !self.write_seal(&seal).await? {
                break;
            }
            sealed.seals += 1;
            sealed.journals += u64::try_from(seal.journals).unwrap_or_default();
            last = Some(seal);
        }
        Ok(sealed)
    }

    /// The seal that follows another, or the first, over journals up to the edge; `None` when all are sealed.
    async fn seal_after(&self, previous: Option<&Seal>, edge: Uuid) -> Result<Option<Seal>, StoreError> {
        let reader = self.db.reader()?;
        let after = previous.map_or(Uuid::nil(), |seal| seal.last);
        let mut journals = stored::headers(reader, Range { after, up_to: Some(edge) }, LARGEST).await?;
        let Some(last) = journals.last().map(|journal| journal.id) else { return Ok(None) };
        let ids = journals.iter().map(|journal| journal.id).collect();
        let mut postings = stored::postings_of(reader, ids).await?;
        let mut gathered = Gathered::default();
        for journal in &mut journals {
            journal.postings = postings.remove(&journal.id).unwrap_or_default();
            gathered.add(journal);
        }
        tracing::debug!(%after, %last, journals = gathered.journals, "a range of journals is closed");
        Ok(Seal::after(previous, &gathered, self.ambient.now()))
    }

    /// Writes the seal, unless another sealer was quicker.
    async fn write_seal(&self, seal: &Seal) -> Result<bool, StoreError> {
        self.db
            .in_txn(async |txn| {
                let insert = Engine::of(txn.get_database_backend()).statement(
                    "INSERT INTO ledger_seals (n, first_journal, last_journal, journals, total, root, prev_hash, \
                     hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        seal.n.into(),
                        seal.first.into(),
                        seal.last.into(),
                        seal.journals.into(),
                        seal.total.into(),
                        seal.root.as_str().into(),
                        seal.prev_hash.as_str().into(),
                        seal.hash.as_str().into(),
                        seal.created_at.into(),
                    ],
                );
                insert_if_absent(txn, insert).await
            })
            .await
    }
}

const SEALS: &str = "SELECT n, first_journal, last_journal, journals, total, root, prev_hash, hash, created_at \
     FROM ledger_seals";

async fn newest(conn: &impl ConnectionTrait) -> Result<Option<Seal>, StoreError> {
    let sql = format!("{SEALS} ORDER BY n DESC LIMIT 1");
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, []);
    conn.query_one_raw(statement).await?.as_ref().map(read).transpose()
}

/// The seal that follows a number.
pub(super) async fn following(conn: &impl ConnectionTrait, n: i64) -> Result<Option<Seal>, StoreError> {
    let sql = format!("{SEALS} WHERE n > ? ORDER BY n LIMIT 1");
    let statement = Engine::of(conn.get_database_backend()).statement(&sql, [n.into()]);
    conn.query_one_raw(statement).await?.as_ref().map(read).transpose()
}

fn read(row: &QueryResult) -> Result<Seal, StoreError> {
    Ok(Seal {
        n: row.try_get("", "n")?,
        first: row.try_get("", "first_journal")?,
        last: row.try_get("", "last_journal")?,
        journals: row.try_get("", "journals")?,
        total: row.try_get("", "total")?,
        root: row.try_get("", "root")?,
        prev_hash: row.try_get("", "prev_hash")?,
        hash: row.try_get("", "hash")?,
        created_at: row.try_get("", "created_at")?,
    })
}

/// The highest UUIDv7 (RFC 9562 §5.7) of the millisecond before the moment's own: whatever is above may still be
/// written.
fn last_id_before(moment: DateTime<Utc>) -> Option<Uuid> {
    let millis = u64::try_from(moment.timestamp_millis().checked_sub(1)?).ok()?;
    Some(uuid::Builder::from_unix_timestamp_millis(millis, &[0xff; 10]).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        let (first, last) = (Some(Uuid::from_u128(1)), Some(Uuid::from_u128(2)));
        let gathered = Gathered { first, last, journals: 2, ..Gathered::default() };
        Seal::after(None, &gathered, "2026-03-02T06:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn each_column_changes_the_hash() {
        let changes: [fn(&mut Seal); 8] = [
            |seal| seal.n += 1,
            |seal| seal.first = Uuid::from_u128(9),
            |seal| seal.last = Uuid::from_u128(9),
            |seal| seal.journals += 1,
            |seal| seal.total += 1,
            |seal| seal.root = "00".repeat(32),
            |seal| seal.prev_hash = "11".repeat(32),
            |seal| seal.created_at += TimeDelta::microseconds(1),
        ];
        assert_eq!(seal().hash, seal().reckoned_hash());
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = seal();
            change(&mut changed);
            assert_ne!(changed.reckoned_hash(), seal().hash, "change {number}");
        }
    }

    #[test]
    fn an_id_of_the_moment_itself_is_not_sealed() {
        let moment: DateTime<Utc> = "2026-03-02T06:00:00.005Z".parse().unwrap();
        let edge = last_id_before(moment).unwrap();
        let id = |millis: i64| {
            let millis = u64::try_from(moment.timestamp_millis() + millis).unwrap();
            uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
        };
        assert!(id(0) > edge);
        assert!(id(-1) < edge);
        assert_eq!(last_id_before(DateTime::UNIX_EPOCH), None);
    }
}
