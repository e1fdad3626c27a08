//! House accounts: what they hold, and the folding of deltas into their balances.

use kernel::Money;
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, StoreError, insert_if_absent};
use uuid::Uuid;

use crate::{House, Ledger, LedgerError};

/// Deltas folded in one transaction.
const BATCH: usize = 500;

/// What a house account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseBalance {
    /// Which account.
    pub account: House,
    /// Its exact balance; what the house owns runs below zero.
    pub balance: Money,
}

/// What one transaction folded.
struct Folded {
    count: usize,
    /// The last of the journals whose deltas they were.
    last: Option<Uuid>,
}

impl Ledger {
    /// Moves the deltas that journals left behind into the accounts' balances, and tells how many there were. No exact
    /// balance changes, and several may fold at once. What is posted meanwhile may be left for the next time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fold(&self) -> Result<u64, LedgerError> {
        let select = self.db.engine().statement("SELECT DISTINCT kind FROM ledger_deltas ORDER BY kind", []);
        let mut folded = 0;
        for row in self.db.reader()?.query_all_raw(select).await? {
            let kind: String = row.try_get("", "kind")?;
            // Each goes on where the last one ended: the index still has what that deleted, and to read it from its beginning
            // is to walk over all of it.
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let some = self.db.in_txn(async |txn| self.fold_some(txn, &kind, last).await).await?;
                folded += u64::try_from(some.count).unwrap_or(0);
                after = some.last.filter(|_| some.count == BATCH);
            }
        }
        Ok(folded)
    }

    /// What every house account that was ever moved holds: stored balance and deltas together, in one statement, so
    /// that none is counted twice or missed while somebody folds.
    ///
    /// # Errors
    /// When the database fails, or an account is stored that nobody knows.
    pub async fn house_balances(&self) -> Result<Vec<HouseBalance>, LedgerError> {
        let db = self.db.reader()?;
        let sql = format!(
            "SELECT kind, CAST(SUM(amount) AS {}) AS balance FROM \
             (SELECT kind, balance AS amount FROM ledger_accounts UNION ALL SELECT kind, amount FROM ledger_deltas) \
             AS parts GROUP BY kind ORDER BY kind",
            bigint(self.db.engine())
        );
        let rows = db.query_all_raw(self.db.engine().statement(&sql, [])).await?;
        let read = |row: &sea_orm::QueryResult| {
            let kind: String = row.try_get("", "kind")?;
            let account = House::parse(&kind);
            let account =
                account.ok_or_else(|| StoreError::Corrupt(format!("an account's kind is {kind}")))?;
            Ok(HouseBalance { account, balance: Money::inr(row.try_get("", "balance")?) })
        };
        rows.iter().map(read).collect()
    }

    /// Folds up to [`BATCH`] deltas of one account, of journals after that one. Whoever folds holds the account's row; posting
    /// never takes it.
    async fn fold_some(
        &self,
        txn: &DatabaseTransaction,
        kind: &str,
        after: Uuid,
    ) -> Result<Folded, LedgerError> {
        let engine = self.db.engine();
        self.lock_account(txn, kind).await?;
        let select = format!(
            "SELECT journal_id, amount FROM ledger_deltas WHERE kind = ? AND journal_id > ? \
             ORDER BY journal_id LIMIT {BATCH}"
        );
        let select = engine.statement(&select, [kind.into(), after.into()]);
        let mut sum = 0i64;
        let mut journals: Vec<Uuid> = Vec::new();
        for row in txn.query_all_raw(select).await? {
            sum = sum.checked_add(row.try_get("", "amount")?).ok_or(LedgerError::Overflow)?;
            journals.push(row.try_get("", "journal_id")?);
        }
        let folded = Folded { count: journals.len(), last: journals.last().copied() };
        if folded.count == 0 {
            return Ok(folded);
        }
        let delete = format!(
            "DELETE FROM ledger_deltas WHERE kind = ? AND journal_id IN ({})",
            Engine::placeholders(folded.count)
        );
        let journals = journals.into_iter().map(Value::from);
        let delete = engine.statement(&delete, std::iter::once(kind.into()).chain(journals));
        let deleted = txn.execute_raw(delete).await?.rows_affected();
        if usize::try_from(deleted) != Ok(folded.count) {
            return Err(
                StoreError::Corrupt(format!("deltas of {kind} vanished while its row was held")).into()
            );
        }
        let update = "UPDATE ledger_accounts SET balance = balance + ?, version = version + 1 WHERE kind = ?";
        txn.execute_raw(engine.statement(update, [sum.into(), kind.into()])).await?;
        Ok(folded)
    }

    async fn lock_account(&self, txn: &DatabaseTransaction, kind: &str) -> Result<(), StoreError> {
        let engine = self.db.engine();
        let select = format!("SELECT version FROM ledger_accounts WHERE kind = ?{}", engine.for_update());
        let select = engine.statement(&select, [kind.into()]);
        if txn.query_one_raw(select.clone()).await?.is_some() {
            return Ok(());
        }
        let insert = engine.statement(
            "INSERT INTO ledger_accounts (kind, balance, version, created_at) VALUES (?, 0, 0, ?)",
            [kind.into(), self.ambient.now().into()],
        );
        // Somebody else may have been first.
        insert_if_absent(txn, insert).await?;
        txn.query_one_raw(select).await?;
        Ok(())
    }
}

/// What a sum of `BIGINT` is cast to, so that it is read back as one: the servers make it a decimal.
pub(crate) fn bigint(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite | Engine::Postgres => "BIGINT",
        Engine::MariaDb => "SIGNED",
    }
}
