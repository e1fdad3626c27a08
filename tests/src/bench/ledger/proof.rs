//! What must hold after a measurement; a figure without it is worth nothing.

use anyhow::{Context, bail, ensure};
use kernel::{Ambient, CursorCodec};
use ledger::{Ledger, LedgerConfig};
use sea_orm::ConnectionTrait;
use store::{Database, DatabaseConfig};

/// Every row of the ledger is right, and there are exactly so many journals.
pub(super) async fn of_books(ledger: &Ledger, journals: u64) -> anyhow::Result<()> {
    let report = ledger.verify(|_| {}).await?;
    if let Some(wrong) = report.first_wrong {
        bail!("the books are wrong: {wrong}");
    }
    ensure!(
        report.journals == journals,
        "{journals} journals were acknowledged, {} are there",
        report.journals
    );
    Ok(())
}

/// There are exactly so many journals, and all accounts together come to zero. What was written around the ledger bears
/// no digest that it would know.
pub(super) async fn of_bare_rows(db: &Database, journals: u64) -> anyhow::Result<()> {
    let there = number(db, "SELECT COUNT(*) AS n FROM ledger_journals").await?;
    ensure!(u64::try_from(there)? == journals, "{journals} journals were acknowledged, {there} are there");
    let total =
        "SELECT (SELECT SUM(available) FROM ledger_wallets) + (SELECT SUM(amount) FROM ledger_deltas) AS n";
    ensure!(number(db, total).await? == 0, "the accounts do not come to zero");
    Ok(())
}

/// Every boost that was acknowledged is there and was paid for, and the books are right. So many at most may be there
/// besides: those whose answer nobody waited for.
///
/// # Errors
/// When the database fails, or something is otherwise.
pub async fn check_boosts(url: &str, acknowledged: u64, unanswered: u64) -> anyhow::Result<u64> {
    let db = Database::connect(&DatabaseConfig::new(url)).await?;
    let ambient = Ambient::system();
    let cursors = CursorCodec::new(&ambient.random_bytes::<32>());
    let report = Ledger::new(db.clone(), ambient, LedgerConfig { cursors }).verify(|_| {}).await?;
    if let Some(wrong) = report.first_wrong {
        bail!("the books are wrong: {wrong}");
    }
    let boosts = u64::try_from(number(&db, "SELECT COUNT(*) AS n FROM boosts").await?)?;
    let paid = "SELECT COUNT(*) AS n FROM boosts b JOIN ledger_journals j ON j.id = b.charge_journal \
                WHERE j.kind = 'boost_charge'";
    let paid = u64::try_from(number(&db, paid).await?)?;
    let charges = "SELECT COUNT(*) AS n FROM ledger_journals WHERE kind = 'boost_charge'";
    let charges = u64::try_from(number(&db, charges).await?)?;
    db.close().await?;
    ensure!(boosts == paid && boosts == charges, "{boosts} boosts, {paid} paid for, {charges} charges");
    let expected = acknowledged..=acknowledged + unanswered;
    ensure!(expected.contains(&boosts), "{acknowledged} boosts were acknowledged, {boosts} are there");
    Ok(boosts)
}

async fn number(db: &Database, sql: &str) -> anyhow::Result<i64> {
    let row = db.reader()?.query_one_raw(db.engine().statement(sql, [])).await?;
    Ok(row.context("nothing was counted")?.try_get("", "n")?)
}
