//! Posting: in a caller's transaction, or in one of its own.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::{Engine, StoreError};

use super::digest::payload_hash;
use super::{NewJournal, Outcome, Settled, fast, plain, rows};
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
        if self.is_plain(Engine::of(txn.get_database_backend())) {
            return plain::settle(txn, &self.ambient, journal).await?.outcome();
        }
        let row = txn.query_one_raw(fast::statement(journal, &self.ambient)).await;
        let row = row.map_err(|error| fast::explain(error.into()))?;
        fast::read(&row.ok_or_else(said_nothing)?)?.outcome()
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
        if self.is_plain(self.db.engine()) {
            return self.db.in_txn(async |txn| plain::settle(txn, &self.ambient, journal).await).await;
        }
        let statement = fast::statement(journal, &self.ambient);
        let rows = self.db.in_one_statement(&statement).await.map_err(fast::explain)?;
        Ok(fast::read(rows.first().ok_or_else(said_nothing)?)?)
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

fn said_nothing() -> StoreError {
    StoreError::Corrupt("ledger_post said nothing".to_owned())
}
