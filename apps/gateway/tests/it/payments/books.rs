//! What payments and refunds say of the ledger is compared with the ledger.

use reqwest::StatusCode;
use sandbox::{Pay, RefundEnd};
use sea_orm::ConnectionTrait;
use testkit::{Scope, TestDb, on_every_engine};

use super::refunds::newest_refund;
use crate::support::TestApp;

/// The table and column of the first row that is wrong.
async fn wrong(app: &TestApp) -> Option<(&'static str, &'static str)> {
    let report = app.state.market.verify_books(|_| ()).await.unwrap();
    report.first_wrong.map(|wrong| (wrong.table, wrong.column))
}

async fn tamper(db: &TestDb, sql: &str) {
    let done = db.schema_connection().execute_unprepared(sql).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{sql}");
}

on_every_engine! { Scope::All =>
    async fn a_payment_or_refund_that_its_journal_or_hold_does_not_back_is_found(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        app.refund(&finance, &payment, Some(20_000), "k").send().await.expect(StatusCode::CREATED);
        assert_eq!(wrong(&app).await, None);
        tamper(db, "UPDATE refunds SET amount = 19999").await;
        assert_eq!(wrong(&app).await, Some(("refunds", "hold_id")));
        tamper(db, "UPDATE refunds SET amount = 20000, status = 'processed'").await;
        assert_eq!(wrong(&app).await, Some(("refunds", "hold_id")));
        tamper(db, "UPDATE refunds SET status = 'pending'").await;
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.clock.advance(chrono::TimeDelta::hours(1));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(wrong(&app).await, None);
        tamper(db, "UPDATE refunds SET hold_id = NULL, origin = 'dashboard'").await;
        assert_eq!(wrong(&app).await, Some(("ledger_holds", "id")));
        tamper(db, "UPDATE payments SET amount = 50001").await;
        assert_eq!(wrong(&app).await, Some(("payments", "credit_journal")));
        tamper(db, "UPDATE payments SET amount = 50000, outcome = NULL").await;
        assert_eq!(wrong(&app).await, Some(("payments", "credit_journal")));
        app.stop().await;
    }

    /// A journal says that something has happened to a payment, refund or boost, and no row of theirs does.
    async fn a_journal_that_no_payment_refund_or_boost_stands_behind_is_found(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        app.razorpay().refund_from_dashboard(&checkout.payment_id, Some(20_000)).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.state.market.apply_payment(&checkout.payment_id).await.unwrap();
        let second = app.razorpay().pay(&checkout.order_id, &Pay::success().without_webhooks()).unwrap();
        app.state.market.apply_payment(&second.payment_id).await.unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.state.market.apply_payment(&second.payment_id).await.unwrap();
        assert_eq!(wrong(&app).await, None);

        let journal = Some(("ledger_journals", "ref_id"));
        for (table, tampered, mended, row, found) in [
            ("payments", "fee = fee + 1", "fee = fee - 1", "outcome = 'credited'", Some(("payments", "fee"))),
            ("payments", "outcome = NULL", "outcome = 'returned'", "credit_journal IS NULL", Some(("payments", "outcome"))),
            ("refunds", "status = 'pending'", "status = 'processed'", "origin = 'dashboard'", journal),
            ("refunds", "amount = amount - 1", "amount = amount + 1", "origin = 'dashboard'", journal),
            ("refunds", "amount = amount - 1", "amount = amount + 1", "origin = 'provider'", journal),
        ] {
            tamper(db, &format!("UPDATE {table} SET {tampered} WHERE {row}")).await;
            assert_eq!(wrong(&app).await, found, "{table}: {tampered}");
            tamper(db, &format!("UPDATE {table} SET {mended} WHERE {row}")).await;
            assert_eq!(wrong(&app).await, None, "{table}: {mended}");
        }
        tamper(db, "UPDATE payments SET outcome = NULL, credit_journal = NULL WHERE outcome = 'credited'").await;
        assert_eq!(wrong(&app).await, journal, "a top-up of nobody's payment");
        app.stop().await;
    }
}
