//! Posting: in a caller's transaction, in one of its own, or as one of several writes that go out together.

use kernel::JournalId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, RuntimeErr, sqlx};
use store::{Engine, OneStatement, StoreError};

use super::alone::Place;
use super::digest::payload_hash;
use super::{NewJournal, Outcome, Settled, alone, plain, rows};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Posts the journal in the caller's transaction. A refusal is remembered there too: the caller commits it.
    ///
    /// # Errors
    /// [`LedgerError::KeyReused`] when the key names something else, [`LedgerError::Overflow`] when a balance would not
    /// fit, or when the database fails; the transaction must then be rolled back.
    pub async fn post_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journal: &NewJournal,
    ) -> Result<Outcome, LedgerError> {
        let engine = Engine::of(txn.get_database_backend());
        if let Some((id, writes)) = self.alone(OneStatement::default(), engine, journal, Place::Transaction) {
            match txn.query_one_raw(writes.answering(alone::POSTED)).await.map_err(StoreError::from) {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(Outcome::Posted(id)),
                // Posted by somebody else at this moment. The engine has given up the transaction, and in the next one
                // the key is found.
                Err(error) if error.is_unique_violation() => return Err(StoreError::Overtaken.into()),
                Err(error) => return Err(explain(error)),
            }
        }
        plain::settle(txn, &self.ambient, journal).await?.outcome()
    }

    /// Posts the journal in a transaction of its own; one round trip where the engine can do so.
    ///
    /// # Errors
    /// As [`post_in_txn`](Self::post_in_txn); nothing was changed then.
    pub async fn post(&self, journal: &NewJournal) -> Result<Outcome, LedgerError> {
        self.settle(journal).await?.outcome()
    }

    /// Posts the journal in a transaction of its own.
    pub(crate) async fn settle(&self, journal: &NewJournal) -> Result<Settled, LedgerError> {
        let engine = self.db.engine();
        if let Some((id, writes)) = self.alone(OneStatement::default(), engine, journal, Place::Statement) {
            match self.db.at_once(&writes, alone::POSTED).await {
                Ok(true) => return Ok(Settled::Posted(id)),
                Ok(false) => {}
                Err(error) if error.is_unique_violation() => {}
                Err(error) => return Err(explain(error)),
            }
        }
        self.db.in_txn(async |txn| plain::settle(txn, &self.ambient, journal).await).await
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
        let (id, writes) = self.alone(writes, self.db.engine(), journal, Place::Gated(gate, version))?;
        Some((id, writes, alone::POSTED))
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

    /// What is on record under the journal's key, without posting it.
    pub(crate) async fn find_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journal: &NewJournal,
    ) -> Result<Option<Outcome>, LedgerError> {
        let used = rows::find_key(txn, &journal.key).await?;
        used.map(|used| used.told_to(&payload_hash(journal)).outcome()).transpose()
    }

    /// Whether journals are posted a statement at a time.
    pub(super) fn is_plain(&self, engine: Engine) -> bool {
        self.plain || engine != Engine::Postgres
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
