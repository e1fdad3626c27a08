//! Somebody who is banned keeps what is theirs.

use chrono::TimeDelta;
use kernel::Role;
use reqwest::StatusCode;
use sandbox::RefundEnd;
use testkit::{Scope, on_every_engine};

use super::event;
use super::refunds::newest_refund;
use crate::support::TestApp;

on_every_engine! { Scope::All =>
    /// Invariant 28: a ban takes away sessions, and no row of money; what is under way arrives.
    async fn a_ban_keeps_the_money(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance, admin) = (app.member().await, app.finance().await, app.staff(Role::Admin).await);
        let payment = app.topped_up(&buyer, 50_000).await;
        let late = app.paid(&buyer, 20_000).await;
        app.refund(&finance, &payment, Some(10_000), "k").send().await.expect(StatusCode::CREATED);
        app.set_status(&admin, &buyer, "BANNED").await;
        app.get("/api/wallet").bearer(&buyer).send().await.problem(StatusCode::FORBIDDEN, "account_banned");
        assert_eq!(app.purses(&buyer).await, (40_000, 10_000, 0));

        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.told(&event("payment.captured", &late)).await;
        app.clock.advance(TimeDelta::minutes(11));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (60_000, 0, 0));
        let report = app.state.market.ledger.verify(|_| ()).await.unwrap();
        assert_eq!((report.first_wrong, report.journals, report.holds), (None, 6, 1));
        app.stop().await;
    }
}
