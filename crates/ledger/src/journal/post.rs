//! Posting: in a caller's transaction, in one of its own, or many in one.

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
        self.settle_in_txn(txn, journal).await?.outcome()
    }

    /// Posts the journal in a transaction of its own; one round trip where the engine can do so.
    ///
    /// # Errors
    /// As [`post_in_txn`](Self::post_in_txn); nothing was changed then.
    pub async fn post(&self, journal: &NewJournal) -> Result<Outcome, LedgerError> {
        let settled = self.settle_all(std::slice::from_ref(journal)).await?;
        settled.first().copied().ok_or(LedgerError::Unanswered)?.outcome()
    }

    /// Posts the journals in one transaction, one after the other, and tells what became of each.
    pub(crate) async fn settle_all(&self, journals: &[NewJournal]) -> Result<Vec<Settled>, LedgerError> {
        if self.is_plain(self.db.engine()) {
            return self
                .db
                .in_txn(async |txn| {
                    let mut settled = Vec::with_capacity(journals.len());
                    for journal in journals {
                        settled.push(plain::settle(txn, &self.ambient, journal).await?);
                    }
                    Ok(settled)
                })
                .await;
        }
        let statement = fast::statement(journals, &self.ambient)?;
        let rows = self.db.in_one_statement(&statement).await.map_err(fast::explain)?;
        let settled = rows.iter().map(fast::read).collect::<Result<Vec<_>, _>>()?;
        if settled.len() == journals.len() { Ok(settled) } else { Err(LedgerError::Unanswered) }
    }

    async fn settle_in_txn(
        &self,
        txn: &DatabaseTransaction,
        journal: &NewJournal,
    ) -> Result<Settled, LedgerError> {
        if self.is_plain(Engine::of(txn.get_database_backend())) {
            return plain::settle(txn, &self.ambient, journal).await;
        }
        let statement = fast::statement([journal], &self.ambient)?;
        let row = txn.query_one_raw(statement).await.map_err(|error| fast::explain(error.into()))?;
        Ok(fast::read(&row.ok_or_else(|| StoreError::Corrupt("ledger_post said nothing".to_owned()))?)?)
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

    fn is_plain(&self, engine: Engine) -> bool {
        self.plain || engine != Engine::Postgres
    }
}
