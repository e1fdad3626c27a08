//! What a wallet holds, looked at without holding it still.

use testkit::{Domain, Scope, on_every_engine};

use super::support::{anybody, balances, count, ledger, somebody_with, spend};

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_glance_shows_a_wallet_as_it_is_and_makes_none(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 1_000).await;
        ledger.post(&spend("a", user, 10)).await.unwrap();
        let seen = ledger.glance(user).await.unwrap().unwrap();
        assert_eq!((seen.available.amount(), seen.version), (990, 2));
        assert_eq!(seen, balances(db, &ledger, user).await);
        assert!(ledger.glance(anybody()).await.unwrap().is_none());
        assert_eq!(count(db, "ledger_wallets").await, 1);
    }
}
