//! A wallet's history: its versions have no gap and no fork, and each line follows from the one before.

use kernel::{TypedId, UserId};
use store::Database;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{assert_sound, at_once, balances, history, ledger, rows, somebody_with, spend, top_up};

/// `available` after each journal, in the order of the versions.
async fn line(db: &Database, user: UserId) -> Vec<i64> {
    let sql = "SELECT available FROM ledger_entries WHERE user_id = ? ORDER BY version";
    let rows = rows(db, sql, vec![user.uuid().into()]).await;
    rows.iter().map(|row| row.try_get("", "available").unwrap()).collect()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn the_entry_chain_has_no_gap_or_fork_under_concurrency(db: TestDb) {
        let ledger = ledger(db);
        let users = [somebody_with(&ledger, 5_000).await, somebody_with(&ledger, 5_000).await];
        at_once((0..16).map(|task| {
            let ledger = ledger.clone();
            async move {
                for n in 0..8 {
                    let user = users[(task + n) % 2];
                    if n % 3 == 0 {
                        top_up(&ledger, user, 7).await;
                    } else {
                        ledger.post(&spend(&format!("{task}:{n}"), user, 13)).await.unwrap();
                    }
                }
            }
        }))
        .await;
        for user in users {
            let wallet = balances(db, &ledger, user).await;
            assert_eq!(history(db, user).await, (1..=wallet.version).collect::<Vec<_>>());
            let line = line(db, user).await;
            assert!(line.windows(2).all(|pair| [7, -13].contains(&(pair[1] - pair[0]))), "{line:?}");
            assert_eq!(line.last(), Some(&wallet.available.amount()));
        }
        assert_sound(db, &ledger).await;
    }
}
