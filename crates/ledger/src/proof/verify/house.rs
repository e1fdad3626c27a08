//! House accounts: each is, with what waits to be folded into it, the replay of its postings; and everything together
//! comes to zero.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, Value};
use store::{Engine, StoreError};
use uuid::Uuid;

use super::super::stored::{self, StoredPosting};
use super::{HouseSums, PAGE, Part, RowOf, Run, Stop};

struct StoredDelta {
    kind: String,
    journal: Uuid,
    amount: i64,
}

pub(super) async fn check(run: &mut Run<'_>, replayed: &HouseSums, in_wallets: i128) -> Result<(), Stop> {
    let waiting = deltas(run).await?;
    let stored = accounts(run.conn).await?;
    let kinds: BTreeSet<&String> = replayed.keys().chain(waiting.keys()).chain(stored.keys()).collect();
    let of = |sums: &HouseSums, kind: &String| sums.get(kind).copied().unwrap_or_default();
    for kind in kinds {
        let key = format!("kind {kind}");
        let found = of(&stored, kind) + of(&waiting, kind);
        let row = RowOf { table: "ledger_accounts", key: &key };
        row.check("balance with what waits to be folded", of(replayed, kind), found)?;
        run.report.accounts += 1;
    }
    let total = in_wallets + stored.values().chain(waiting.values()).sum::<i128>();
    RowOf { table: "ledger_wallets, ledger_accounts, ledger_deltas", key: "all rows" }.check("sum", 0, total)
}

/// Checks what waits to be folded: each is what its journal moved. Gives the sums by account.
async fn deltas(run: &mut Run<'_>) -> Result<HouseSums, Stop> {
    let mut sums = HouseSums::new();
    let mut after = (String::new(), Uuid::nil());
    loop {
        let deltas = page(run.conn, &after).await?;
        let Some(last) = deltas.last() else { return Ok(sums) };
        after = (last.kind.clone(), last.journal);
        let postings =
            stored::postings_of(run.conn, deltas.iter().map(|delta| delta.journal).collect()).await?;
        for delta in deltas {
            let key = format!("kind {}, journal_id {}", delta.kind, delta.journal);
            let legs = postings.get(&delta.journal).map(Vec::as_slice).unwrap_or_default();
            let row = RowOf { table: "ledger_deltas", key: &key };
            row.check("amount", moved(legs, &delta.kind), delta.amount.into())?;
            *sums.entry(delta.kind).or_default() += i128::from(delta.amount);
            run.report.deltas += 1;
        }
        let checked = run.report.deltas;
        run.tell(Part::Deltas, checked);
    }
}

/// What the legs moved into a house account.
fn moved(legs: &[StoredPosting], kind: &str) -> i128 {
    let mut total = 0;
    for leg in legs {
        if leg.from.user.is_none() && leg.from.kind == kind {
            total -= i128::from(leg.amount);
        }
        if leg.to.user.is_none() && leg.to.kind == kind {
            total += i128::from(leg.amount);
        }
    }
    total
}

async fn page(
    conn: &impl ConnectionTrait,
    (kind, journal): &(String, Uuid),
) -> Result<Vec<StoredDelta>, StoreError> {
    let sql = format!(
        "SELECT kind, journal_id, amount FROM ledger_deltas WHERE kind >= ? AND (kind > ? OR journal_id > ?) \
         ORDER BY kind, journal_id LIMIT {PAGE}"
    );
    let values: [Value; 3] = [kind.as_str().into(), kind.as_str().into(), (*journal).into()];
    let rows = conn.query_all_raw(Engine::of(conn.get_database_backend()).statement(&sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredDelta {
                kind: row.try_get("", "kind")?,
                journal: row.try_get("", "journal_id")?,
                amount: row.try_get("", "amount")?,
            })
        })
        .collect()
}

/// The stored balances. There are a few.
async fn accounts(conn: &impl ConnectionTrait) -> Result<HouseSums, StoreError> {
    let select = Engine::of(conn.get_database_backend())
        .statement("SELECT kind, balance FROM ledger_accounts ORDER BY kind", []);
    let rows = conn.query_all_raw(select).await?;
    rows.iter().map(|row| Ok((row.try_get("", "kind")?, row.try_get::<i64>("", "balance")?.into()))).collect()
}
