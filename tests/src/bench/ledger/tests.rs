//! That the measurements count what they post, and end with an error when the books are not as they should be.

use std::time::Duration;

use testkit::{TestDb, on_every_engine};

use super::*;

const SHORT: Load =
    Load { callers: 4, wallets: 8, warm_up: Duration::ZERO, counted: Duration::from_millis(100) };

async fn journals(db: &TestDb, form: Form) -> u64 {
    measure(db.url(), form, SHORT).await.unwrap().journals
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn single_top_ups_are_counted_and_proved(db: TestDb) {
        assert!(journals(db, Form::Single).await > 0);
    }

    async fn top_ups_through_the_posting_service_are_counted_and_proved(db: TestDb) {
        assert!(journals(db, Form::Poster).await > 0);
    }

    async fn charges_into_any_account_of_the_house_are_counted_and_proved(db: TestDb) {
        assert!(journals(db, Form::Spread).await > 0);
    }

    async fn a_journal_that_nobody_acknowledged_fails_the_measurement(db: TestDb) {
        journals(db, Form::Hot).await;
        let failure = measure(db.url(), Form::Hot, SHORT).await.unwrap_err().to_string();
        assert!(failure.contains("journals were acknowledged"), "{failure}");
    }
}

#[tokio::test]
async fn the_bare_statements_of_sqlite_are_counted_and_come_to_zero() {
    let db = TestDb::start(Engine::Sqlite, Scope::Domain(Domain::Ledger)).await;
    assert!(journals(&db, Form::Bare).await > 0);
    db.dispose().await;
}
