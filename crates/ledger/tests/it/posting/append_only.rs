//! What the database itself refuses: to change or remove what was written, and to write what cannot be.

use std::time::Duration;

use ledger::Outcome;
use sea_orm::ConnectionTrait;
use store::Engine;
use testkit::{Domain, Scope, on_every_engine};

use super::support::{count, ledger, somebody_with, spend};

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn journals_postings_entries_refusals_and_seals_are_append_only(db: TestDb) {
        let ledger = ledger(db);
        let user = somebody_with(&ledger, 100).await;
        assert!(matches!(ledger.post(&spend("a", user, 500)).await.unwrap(), Outcome::Refused(_)));
        tokio::time::sleep(Duration::from_millis(20)).await;
        ledger.seal(Duration::ZERO).await.unwrap();
        let tables = [
            ("ledger_journals", "kind"),
            ("ledger_postings", "amount"),
            ("ledger_entries", "available"),
            ("ledger_refusals", "code"),
            ("ledger_seals", "total"),
        ];
        for (table, column) in tables {
            assert_eq!(count(db, table).await, 1, "{table} has a row to be tampered with");
            let mut attacks = vec![format!("UPDATE {table} SET {column} = {column}"), format!("DELETE FROM {table}")];
            attacks.push(match db.engine() {
                Engine::Postgres => format!("TRUNCATE {table} CASCADE"),
                Engine::Sqlite | Engine::MariaDb => format!("REPLACE INTO {table} SELECT * FROM {table}"),
            });
            for attack in attacks {
                let refused = db.schema_connection().execute_unprepared(&attack).await.unwrap_err().to_string();
                assert!(refused.contains("append-only") || refused.contains("append only"), "{attack}: {refused}");
            }
            assert_eq!(count(db, table).await, 1, "{table}");
        }
    }

    /// The floors are the database's too: not even a statement that bypasses the ledger passes them.
    async fn the_database_refuses_a_balance_past_its_floor(db: TestDb) {
        let ledger = ledger(db);
        somebody_with(&ledger, 100).await;
        for purse in ["available", "held", "promo", "earnings"] {
            let theft = format!("UPDATE ledger_wallets SET {purse} = -1");
            assert!(db.schema_connection().execute_unprepared(&theft).await.is_err(), "{theft}");
        }
        assert!(db.schema_connection().execute_unprepared("UPDATE ledger_wallets SET debt = 1").await.is_err());
    }

    /// Nor does such a statement write a posting that moves nothing, or whose accounts are not two.
    async fn the_database_refuses_a_posting_that_is_none(db: TestDb) {
        let ledger = ledger(db);
        somebody_with(&ledger, 100).await;
        let insert = |columns: &str| {
            format!("INSERT INTO ledger_postings SELECT journal_id, seq + 1, {columns} FROM ledger_postings")
        };
        let wrong = [
            ("nothing", "from_kind, from_user, to_kind, to_user, 0"),
            ("less than nothing", "from_kind, from_user, to_kind, to_user, -1"),
            ("from a user's account of nobody", "'promo', from_user, to_kind, to_user, 1"),
            ("to a user's account of nobody", "from_kind, from_user, to_kind, NULL, 1"),
            ("from a user's house account", "from_kind, to_user, to_kind, to_user, 1"),
            ("to a user's house account", "from_kind, from_user, 'bank_current', to_user, 1"),
            ("a user's account to itself", "to_kind, to_user, to_kind, to_user, 1"),
            ("a house account to itself", "from_kind, from_user, from_kind, from_user, 1"),
        ];
        for (what, columns) in wrong {
            assert!(db.schema_connection().execute_unprepared(&insert(columns)).await.is_err(), "{what}");
        }
        let right = insert("from_kind, from_user, to_kind, to_user, 1");
        db.schema_connection().execute_unprepared(&right).await.unwrap();
        assert_eq!(count(db, "ledger_postings").await, 2);
    }
}
