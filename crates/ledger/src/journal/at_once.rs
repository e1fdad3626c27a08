//! Posting in one statement, where PostgreSQL can: alone, in a caller's transaction, or among writes that go out together.

use chrono::{DateTime, Utc};
use kernel::{Clock, JournalId, SystemClock};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, RuntimeErr, sqlx};
use store::{Engine, OneStatement, StoreError};

use super::alone::Place;
use super::{NewJournal, alone};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Posts the journal in one statement of the caller's transaction; `None` when it was not, and nothing was changed:
    /// then a statement at a time finds out why.
    pub(super) async fn posted_alone_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journal: &NewJournal,
    ) -> Result<Option<JournalId>, LedgerError> {
        let engine = Engine::of(txn.get_database_backend());
        let alone = self.alone(OneStatement::default(), engine, journal, Place::Transaction);
        let Some((id, writes)) = alone else { return Ok(None) };
        match txn.query_one_raw(writes.answering(alone::POSTED)).await.map_err(StoreError::from) {
            Ok(posted) => Ok(posted.map(|_| id)),
            // Posted by somebody else at this moment. The engine has given up the transaction, and in the next one the
            // key is found.
            Err(error) if error.is_unique_violation() => Err(StoreError::Overtaken.into()),
            Err(error) => Err(explain(error)),
        }
    }

    /// Posts the journal in one statement that is a transaction of its own; `None` as above.
    pub(super) async fn posted_alone(&self, journal: &NewJournal) -> Result<Option<JournalId>, LedgerError> {
        let alone = self.alone(
            OneStatement::default(),
            self.db.engine(),
            journal,
            Place::Statement { deadline: self.deadline() },
        );
        let Some((id, writes)) = alone else { return Ok(None) };
        match self.db.at_once(&writes, alone::POSTED).await {
            Ok(is_posted) => Ok(is_posted.then_some(id)),
            Err(error) if error.is_unique_violation() => Ok(None),
            Err(error) => Err(explain(error)),
        }
    }

    /// Whether journals can be among [writes that are made together](Self::post_at_once): on PostgreSQL, unless this
    /// ledger posts a statement at a time.
    pub fn posts_at_once(&self) -> bool {
        !self.is_plain(self.db.engine())
    }

    /// Adds the posting of the journal to writes that are made together, and gives its id and the name that has a row if
    /// it is posted: only if `gate` has a row, and the wallet that version and nobody has it locked. `None` where that
    /// [cannot be](Self::posts_at_once), or the journal does not touch exactly one wallet: then
    /// [`post_in_txn`](Self::post_in_txn) can.
    pub fn post_at_once(
        &self,
        writes: OneStatement,
        journal: &NewJournal,
        gate: &'static str,
        version: i64,
    ) -> Option<(JournalId, OneStatement, &'static str)> {
        let (id, writes) = self.alone(
            writes,
            self.db.engine(),
            journal,
            Place::Gated { deadline: self.deadline(), gate, version },
        )?;
        Some((id, writes, alone::POSTED))
    }

    /// Until when a statement must have come to the server. By the system's clock: the server compares its own with it.
    pub(super) fn deadline(&self) -> DateTime<Utc> {
        SystemClock.now() + self.patience
    }

    fn alone(
        &self,
        writes: OneStatement,
        engine: Engine,
        journal: &NewJournal,
        place: Place<'_>,
    ) -> Option<(JournalId, OneStatement)> {
        let [wallet] = journal.net.wallets.as_slice() else { return None };
        if self.is_plain(engine) {
            return None;
        }
        let id = self.ambient.new_id();
        Some((id, alone::add(writes, id, journal, wallet, self.ambient.now(), place)))
    }
}

/// Tells a balance that would not fit (SQLSTATE 22003, `numeric_value_out_of_range`) from other failures.
pub(super) fn explain(error: StoreError) -> LedgerError {
    let StoreError::Database(DbErr::Query(RuntimeErr::SqlxError(cause))) = &error else {
        return error.into();
    };
    match cause.as_ref() {
        sqlx::Error::Database(inner) if inner.code().as_deref() == Some("22003") => LedgerError::Overflow,
        _ => error.into(),
    }
}
