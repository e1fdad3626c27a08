//! Folding moves deltas into balances and changes no exact balance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::Money;
use ledger::{House, HouseBalance, Ledger};
use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, assert_sound, at_once, count, ledger, rows, settle, top_up, total};

async fn clearing(ledger: &Ledger) -> i64 {
    let balances = ledger.house_balances().await.unwrap();
    balances
        .iter()
        .find(|house| house.account == House::GatewayClearing)
        .map_or(0, |house| house.balance.amount())
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn folding_changes_no_exact_balance(db: TestDb) {
        let ledger = ledger(db);
        let is_done = Arc::new(AtomicBool::new(false));
        let folders = at_once((0..2).map(|_| {
            let (ledger, is_done) = (ledger.clone(), Arc::clone(&is_done));
            async move {
                let mut folded = 0;
                while !is_done.load(Ordering::SeqCst) {
                    folded += ledger.fold().await.unwrap();
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                folded
            }
        }));
        let writers = async {
            at_once((0..8).map(|_| {
                let ledger = ledger.clone();
                async move {
                    for _ in 0..25 {
                        top_up(&ledger, anybody(), 10).await;
                    }
                }
            }))
            .await;
            is_done.store(true, Ordering::SeqCst);
        };
        let reader = async {
            let (mut reads, mut last) = (0, 0);
            while !is_done.load(Ordering::SeqCst) {
                let now = clearing(&ledger).await;
                assert!(now <= last && now % 10 == 0, "{now} after {last}");
                assert_eq!(total(db).await, 0);
                (reads, last) = (reads + 1, now);
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            reads
        };
        let (folded, (), reads) = tokio::join!(folders, writers, reader);
        assert!(reads > 0 && folded.iter().sum::<u64>() > 0);
        assert_eq!(clearing(&ledger).await, -2_000);
        let rest = ledger.fold().await.unwrap();
        assert_eq!(folded.iter().sum::<u64>() + rest, 200, "every delta was folded once");
        assert_eq!((clearing(&ledger).await, count(db, "ledger_deltas").await), (-2_000, 0));
        let stored = rows(db, "SELECT balance FROM ledger_accounts WHERE kind = 'gateway:clearing'", vec![]).await;
        assert_eq!(stored[0].try_get::<i64>("", "balance").unwrap(), -2_000);
        assert_eq!(ledger.fold().await.unwrap(), 0);
        assert_sound(db, &ledger).await;
    }

    /// More deltas than fit one transaction, of two accounts.
    async fn folding_goes_on_until_nothing_is_left(db: TestDb) {
        let ledger = ledger(db);
        let poster = ledger.poster();
        at_once((0..501).map(|n| {
            let poster = poster.clone();
            async move { poster.post(settle(&format!("settle:{n}"), 3)).await.unwrap() }
        }))
        .await;
        assert_eq!(ledger.fold().await.unwrap(), 1_002);
        let balance = |account, paise| HouseBalance { account, balance: Money::inr(paise) };
        let balances = [balance(House::BankCurrent, -1_503), balance(House::GatewayClearing, 1_503)];
        assert_eq!(ledger.house_balances().await.unwrap(), balances);
    }
}
