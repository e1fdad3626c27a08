//! What was written is never changed or removed; the database itself refuses it.

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
}
