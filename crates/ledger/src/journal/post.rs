//! Posting: in a caller's transaction, or in one of its own.

use sea_orm::DatabaseTransaction;
use store::Engine;

use super::digest::payload_hash;
use super::{NewJournal, Outcome, Settled, plain, rows};
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
        match self.posted_alone_in_txn(txn, journal).await? {
            Some(id) => Ok(Outcome::Posted(id)),
            None => plain::settle(txn, &self.ambient, journal).await?.outcome(),
        }
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
        match self.posted_alone(journal).await? {
            Some(id) => Ok(Settled::Posted(id)),
            None => self.db.in_txn(async |txn| plain::settle(txn, &self.ambient, journal).await).await,
        }
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
