//! Reads the totals past the gateway, in one statement each time, while everything goes on.

use std::time::Duration;

use anyhow::Context;
use sea_orm::ConnectionTrait;
use store::{Database, Engine};
use tokio::sync::watch;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Reads.
    pub reads: usize,
    /// Reads in which the accounts did not come to 0 together.
    pub unbalanced: usize,
    /// Reads in which some purse was below its floor.
    pub overdrawn: usize,
    /// Reads in which what is held was not what the open holds hold.
    pub unheld: usize,
}

/// Reads until it is told to stop.
///
/// # Errors
/// When the database does not answer.
pub async fn audit(db: Database, mut stop: watch::Receiver<bool>) -> anyhow::Result<Audit> {
    let mut audit = Audit::default();
    let sql = totals(db.engine());
    loop {
        let row = db.reader()?.query_one_raw(db.engine().statement(&sql, [])).await?;
        let row = row.context("totals are one row")?;
        audit.reads += 1;
        audit.unbalanced += usize::from(row.try_get::<i64>("", "total")? != 0);
        audit.overdrawn += usize::from(row.try_get::<i64>("", "overdrawn")? != 0);
        audit.unheld += usize::from(row.try_get::<i64>("", "unheld")? != 0);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(audit),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

/// One statement sees one moment. Servers add 64-bit numbers up to decimals, hence the casts.
fn totals(engine: Engine) -> String {
    let whole = if engine == Engine::MariaDb { "SIGNED" } else { "BIGINT" };
    let sum = |of: &str, from: &str| format!("(SELECT CAST(COALESCE(SUM({of}), 0) AS {whole}) FROM {from})");
    let wallets = sum("available + held + promo + earnings + debt", "ledger_wallets");
    let (house, deltas) = (sum("balance", "ledger_accounts"), sum("amount", "ledger_deltas"));
    let (held, holds) = (sum("held", "ledger_wallets"), sum("amount", "ledger_holds WHERE status = 'open'"));
    format!(
        "SELECT {wallets} + {house} + {deltas} AS total, {held} - {holds} AS unheld, \
         (SELECT COUNT(*) FROM ledger_wallets \
          WHERE available < 0 OR held < 0 OR promo < 0 OR earnings < 0 OR debt > 0) AS overdrawn"
    )
}
