//! Seals: what is old is closed, once, in an unbroken chain.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use kernel::{Money, UserId};
use ledger::{Outcome, Sealed, templates};
use sea_orm::ConnectionTrait;
use store::StoreError;
use testkit::{Domain, Engine, Scope, TestDb, on_every_engine};

use crate::business::{Dice, Shop};

const DELAY: Duration = Duration::from_secs(120);

/// Number, journals and hash of the one before, of each seal.
async fn chain(db: &TestDb) -> Vec<(i64, i64, String, String)> {
    let select = "SELECT n, journals, prev_hash, hash FROM ledger_seals ORDER BY n";
    let rows = db.reader().unwrap().query_all_raw(db.engine().statement(select, [])).await.unwrap();
    rows.iter()
        .map(|row| {
            let number = |column| row.try_get::<i64>("", column).unwrap();
            let text = |column| row.try_get::<String>("", column).unwrap();
            (number("n"), number("journals"), text("prev_hash"), text("hash"))
        })
        .collect()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn what_is_older_than_the_delay_is_sealed_once(db: TestDb) {
        let (shop, dice) = (Shop::open(db), Dice::new(3));
        let mut customer = shop.customer();
        customer.live_for(&shop, &dice, 12).await;
        assert_eq!(shop.ledger.seal(DELAY).await.unwrap(), Sealed::default(), "they are too young");
        shop.clock.advance(TimeDelta::seconds(121));
        customer.live_for(&shop, &dice, 5).await;
        assert_eq!(shop.ledger.seal(DELAY).await.unwrap(), Sealed { seals: 1, journals: 12 });
        assert_eq!(shop.ledger.seal(DELAY).await.unwrap(), Sealed::default());
        shop.clock.advance(TimeDelta::seconds(121));
        assert_eq!(shop.ledger.seal(DELAY).await.unwrap(), Sealed { seals: 1, journals: 5 });
        let chain = chain(db).await;
        assert_eq!(chain.iter().map(|seal| (seal.0, seal.1)).collect::<Vec<_>>(), [(1, 12), (2, 5)]);
        assert_eq!((chain[0].2.as_str(), &chain[1].2), ("0".repeat(64).as_str(), &chain[0].3));
        let report = shop.ledger.verify(|_| ()).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.journals, report.seals), (17, 2));
        let sums = "SELECT CAST(SUM(p.amount) AS {int}) AS moved, s.total AS sealed FROM ledger_seals s \
                    JOIN ledger_postings p ON p.journal_id >= s.first_journal AND p.journal_id <= s.last_journal \
                    GROUP BY s.n, s.total";
        let sums = sums.replace("{int}", if db.engine() == Engine::MariaDb { "SIGNED" } else { "BIGINT" });
        for row in db.reader().unwrap().query_all_raw(db.engine().statement(&sums, [])).await.unwrap() {
            let amount = |column| row.try_get::<i64>("", column).unwrap();
            assert_eq!(amount("sealed"), amount("moved"));
        }
    }

    async fn sealers_at_once_write_one_chain_without_error(db: TestDb) {
        let (shop, dice) = (Arc::new(Shop::open(db)), Dice::new(4));
        let mut customer = shop.customer();
        for round in 1..=4 {
            customer.live_for(&shop, &dice, 6).await;
            shop.clock.advance(TimeDelta::seconds(121));
            let mut sealers = Vec::new();
            for _ in 0..8 {
                let shop = Arc::clone(&shop);
                sealers.push(tokio::spawn(async move { shop.ledger.seal(DELAY).await.unwrap() }));
            }
            let mut written = (0, 0);
            for sealer in sealers {
                let sealed = sealer.await.unwrap();
                written = (written.0 + sealed.seals, written.1 + sealed.journals);
            }
            assert_eq!(written, (1, 6), "round {round}");
        }
        assert_eq!(chain(db).await.len(), 4);
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean());
    }

    async fn a_long_backlog_becomes_several_seals(db: TestDb) {
        let shop = Arc::new(Shop::open(db));
        let poster = shop.ledger.poster();
        let mut posting = Vec::new();
        for number in 0..1_003 {
            let user = UserId::from(uuid::Uuid::from_u128(1 + number % 40));
            let journal = templates::top_up(&format!("pay_{number}"), user, Money::inr(100)).unwrap();
            let poster = poster.clone();
            posting.push(tokio::spawn(async move { poster.post(journal).await.unwrap() }));
        }
        for posted in posting {
            assert!(matches!(posted.await.unwrap(), Outcome::Posted(_)));
        }
        shop.clock.advance(TimeDelta::seconds(121));
        assert_eq!(shop.ledger.seal(DELAY).await.unwrap(), Sealed { seals: 2, journals: 1_003 });
        assert_eq!(chain(db).await.iter().map(|seal| seal.1).collect::<Vec<_>>(), [1_000, 3]);
        let report = shop.ledger.verify(|_| ()).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.wallets, report.entries, report.seals), (40, 1_003, 2));
    }

    async fn a_seal_can_be_neither_changed_nor_removed(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        customer.top_up(&shop, 100).await;
        shop.clock.advance(TimeDelta::seconds(121));
        shop.ledger.seal(DELAY).await.unwrap();
        for sql in ["UPDATE ledger_seals SET total = 0", "DELETE FROM ledger_seals"] {
            let refused = db
                .in_txn(async |txn| {
                    txn.execute_raw(db.engine().statement(sql, [])).await.map(drop).map_err(StoreError::from)
                })
                .await;
            assert!(refused.unwrap_err().to_string().contains("append-only"), "{sql}");
        }
    }
}
