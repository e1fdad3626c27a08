//! What payments and refunds say of the ledger is compared with the ledger.

use kernel::{Money, UserId};
use ledger::{House, JournalKind, Leg, NewJournal, Purse, Reference};
use reqwest::StatusCode;
use sandbox::{Pay, RefundEnd};
use sea_orm::ConnectionTrait;
use store::StoreError;
use testkit::{Scope, TestDb, on_every_engine};
use uuid::Uuid;

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

    /// Two refunds of one amount, each with the hold of the other one's money.
    async fn a_refund_that_is_held_with_somebody_elses_money_is_found(db: TestDb) {
        let app = TestApp::start(db).await;
        let finance = app.finance().await;
        for key in ["one", "two"] {
            let buyer = app.member().await;
            let payment = app.topped_up(&buyer, 50_000).await;
            app.refund(&finance, &payment, Some(20_000), key).send().await.expect(StatusCode::CREATED);
        }
        assert_eq!(wrong(&app).await, None);
        let rows = db.engine().statement("SELECT id, hold_id FROM refunds ORDER BY id", []);
        let rows = db.reader().unwrap().query_all_raw(rows).await.unwrap();
        let [(first, of_first), (second, of_second)] = [0, 1].map(|at| {
            let read = |column| rows[at].try_get::<Uuid>("", column).unwrap();
            (read("id"), read("hold_id"))
        });
        for (hold, refund) in [(None, second), (Some(of_second), first), (Some(of_first), second)] {
            let update = db.engine().statement("UPDATE refunds SET hold_id = ? WHERE id = ?", [hold.into(), refund.into()]);
            db.in_txn(async |txn| txn.execute_raw(update.clone()).await.map_err(StoreError::from)).await.unwrap();
        }
        assert_eq!(wrong(&app).await, Some(("refunds", "hold_id")));
        app.stop().await;
    }

    /// Money was set aside and taken for a refund that there never was.
    async fn journals_of_a_refund_without_a_hold_are_found(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        app.topped_up(&buyer, 50_000).await;
        let user: UserId = buyer.user_id.parse().unwrap();
        let held = Leg::new((user, Purse::Available), (user, Purse::Held), Money::inr(700));
        let gone = Leg::new((user, Purse::Held), House::GatewayClearing, Money::inr(700));
        for (key, kind, leg) in [("one", JournalKind::RefundHold, held), ("two", JournalKind::RefundDone, gone)] {
            let journal = NewJournal::new(key, kind, Reference::new("refund", 1), vec![leg]).unwrap();
            app.state.market.ledger.post(&journal).await.unwrap().journal().unwrap();
        }
        assert_eq!(wrong(&app).await, Some(("ledger_journals", "ref_id")));
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
