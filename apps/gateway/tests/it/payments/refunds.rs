//! Payments that go back to where they came from.

use chrono::TimeDelta;
use kernel::Role;
use ledger::House;
use reqwest::StatusCode;
use sandbox::RefundEnd;
use serde_json::json;
use testkit::{Scope, on_every_engine};

use super::{event, fresh_key};
use crate::support::TestApp;

/// The id that the provider gave the newest refund.
pub(super) fn newest_refund(app: &TestApp) -> String {
    app.razorpay().refunds()[0]["id"].as_str().unwrap().to_owned()
}

on_every_engine! { Scope::All =>
    /// Invariant 13: from the request to its end, `available` only falls.
    async fn refund_never_raises_available(db: TestDb) {
        let app = TestApp::start(db).await;
        let (mut buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        let refund = app.refund(&finance, &payment, Some(20_000), "k").send().await.expect(StatusCode::CREATED);
        assert_eq!(refund.text("/status"), "PENDING");
        assert_eq!(app.purses(&buyer).await, (30_000, 20_000, 0));
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        for _ in 0..3 {
            app.clock.advance(TimeDelta::hours(2));
            app.state.market.poll_refunds().await.unwrap();
            assert_eq!(app.purses(&buyer).await, (30_000, 0, 0));
        }
        app.refresh(&mut buyer).await;
        let list = app.get(&format!("/api/payments/{payment}/refunds")).bearer(&buyer).send().await.expect(StatusCode::OK);
        assert_eq!((list.text("/data/0/status"), &list.body["data"][0]["amount"]["amount"]), ("PROCESSED".to_owned(), &json!(20_000)));
        app.stop().await;
    }

    async fn a_refund_that_fails_gives_back_what_it_held_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, mut finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        app.refund(&finance, &payment, Some(20_000), "k").send().await.expect(StatusCode::CREATED);
        app.refund_ends(&newest_refund(&app), RefundEnd::Failed);
        for _ in 0..3 {
            app.clock.advance(TimeDelta::hours(2));
            app.state.market.poll_refunds().await.unwrap();
        }
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        // What it reserved of the payment is free again.
        app.refresh(&mut finance).await;
        app.step_up(&finance).await;
        app.refund(&finance, &payment, None, "k2").send().await.expect(StatusCode::CREATED);
        assert_eq!(app.purses(&buyer).await, (0, 50_000, 0));
        app.stop().await;
    }

    async fn finance_finds_refunds_by_their_status_and_who_made_them(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, other, mut finance) = (app.member().await, app.member().await, app.finance().await);
        let (mine, theirs) = (app.topped_up(&buyer, 50_000).await, app.topped_up(&other, 50_000).await);
        for (payment, key) in [(&mine, "one"), (&mine, "two"), (&theirs, "three")] {
            app.clock.advance(TimeDelta::seconds(1));
            app.refund(&finance, payment, Some(10_000), key).send().await.expect(StatusCode::CREATED);
        }
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.clock.advance(TimeDelta::minutes(10));
        app.state.market.poll_refunds().await.unwrap();
        app.refresh(&mut finance).await;
        let found = async |query: &str| {
            let path = format!("/api/payments/refunds?{query}");
            let page = app.get(&path).bearer(&finance).send().await.expect(StatusCode::OK);
            page.body["data"].as_array().unwrap().iter().map(|one| one["paymentId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found("").await, [theirs.clone(), mine.clone(), mine.clone()], "the newest first");
        assert_eq!(found("status=PROCESSED").await, [theirs.as_str()]);
        assert_eq!(found("status=PENDING&origin=APP").await, [mine.clone(), mine.clone()]);
        assert_eq!(found(&format!("userId={}", other.user_id)).await, [theirs.as_str()]);
        assert!(found("origin=DASHBOARD").await.is_empty());
        let first = app.get("/api/payments/refunds?limit=2").bearer(&finance).send().await.expect(StatusCode::OK);
        let cursor = first.text("/pagination/nextCursor");
        assert_eq!(found(&format!("limit=2&cursor={cursor}")).await, [mine]);
        app.get("/api/payments/refunds?status=LOST").bearer(&finance).send().await
            .problem(StatusCode::BAD_REQUEST, "invalid_input");
        let buyer = app.login(&buyer.phone).await;
        app.get("/api/payments/refunds").bearer(&buyer).send().await.problem(StatusCode::FORBIDDEN, "forbidden");
        app.stop().await;
    }

    /// Two refunds of 60 % at once: one wins.
    async fn refund_race_60_60(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        // Only the payment can tell them apart: the wallet would hold both.
        app.topped_up(&buyer, 50_000).await;
        let refund = |key| app.refund(&finance, &payment, Some(30_000), key).send();
        let (one, other) = tokio::join!(refund("one"), refund("other"));
        let (won, lost) = if one.status == 201 { (one, other) } else { (other, one) };
        won.expect(StatusCode::CREATED);
        lost.problem(StatusCode::CONFLICT, "refund_exceeds_payment");
        assert_eq!(app.purses(&buyer).await, (70_000, 30_000, 0));
        assert_eq!(app.razorpay().refunds().len(), 1);
        app.stop().await;
    }

    async fn what_the_user_has_spent_cannot_be_refunded_and_stays_refused(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let (first, second) = (app.topped_up(&buyer, 50_000).await, app.topped_up(&buyer, 10_000).await);
        // Money of the first payment leaves in the dashboard: what is left is less than the second refund asks for.
        let paid = app.razorpay().payments();
        let second_at_provider = paid[0]["id"].as_str().unwrap();
        app.razorpay().refund_from_dashboard(second_at_provider, None).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.state.market.apply_payment(second_at_provider).await.unwrap();
        app.refund(&finance, &first, Some(40_000), "most").send().await.expect(StatusCode::CREATED);
        assert_eq!(app.purses(&buyer).await, (10_000, 40_000, 0));
        app.refund(&finance, &second, None, "none-left").send().await.problem(StatusCode::CONFLICT, "refund_exceeds_payment");
        app.charge(&buyer, 10_000).await;
        let refused = app.refund(&finance, &first, None, "spent").send().await.problem(StatusCode::CONFLICT, "insufficient_funds");
        assert_eq!(refused.header("idempotent-replayed"), "");
        app.topped_up(&buyer, 30_000).await;
        let again = app.refund(&finance, &first, None, "spent").send().await.problem(StatusCode::CONFLICT, "insufficient_funds");
        assert_eq!(again.header("idempotent-replayed"), "true", "it must not suddenly succeed");
        app.refund(&finance, &first, None, "anew").send().await.expect(StatusCode::CREATED);
        app.stop().await;
    }

    /// The provider took the refund, and its answer was lost: nothing is given back, and nothing is sent twice.
    async fn a_refund_whose_outcome_is_unknown_stays_held_until_the_poller_knows(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "drop": true, "after": true })).await;
        let refund = app.refund(&finance, &payment, None, "k").send().await.expect(StatusCode::CREATED);
        assert!(["UNKNOWN", "SUBMITTING"].contains(&refund.text("/status").as_str()), "{}", refund.body);
        assert_eq!(app.purses(&buyer).await, (0, 50_000, 0));
        app.no_faults().await;
        app.clock.advance(TimeDelta::minutes(11));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.razorpay().refunds().len(), 1);
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.clock.advance(TimeDelta::hours(2));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.stop().await;
    }

    /// The request never reached the provider: the poller sends it.
    async fn a_refund_that_was_not_sent_is_sent_by_the_poller(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        app.fault(&json!({ "target": "razorpay", "error": 503 })).await;
        app.refund(&finance, &payment, None, "k").send().await.expect(StatusCode::CREATED);
        assert!(app.razorpay().refunds().is_empty());
        assert_eq!(app.purses(&buyer).await, (0, 50_000, 0));
        app.no_faults().await;
        app.clock.advance(TimeDelta::hours(1));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.razorpay().refunds().len(), 1);
        assert_eq!(app.purses(&buyer).await, (0, 50_000, 0));
        app.stop().await;
    }

    async fn a_refund_from_the_dashboard_debits_once_however_often_it_is_told_of(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        app.razorpay().refund_from_dashboard(&checkout.payment_id, Some(20_000)).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        for kind in ["refund.created", "refund.processed", "payment.captured", "refund.processed"] {
            app.told(&event(kind, &checkout)).await;
            app.state.market.apply_payment(&checkout.payment_id).await.unwrap();
        }
        assert_eq!(app.purses(&buyer).await, (30_000, 0, 0));
        app.stop().await;
    }

    /// What was spent cannot go back, so it is owed; the next top-up pays it first.
    async fn a_dashboard_refund_of_spent_money_makes_a_debt_that_the_next_top_up_pays(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        app.charge(&buyer, 40_000).await;
        app.razorpay().refund_from_dashboard(&checkout.payment_id, None).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.state.market.apply_payment(&checkout.payment_id).await.unwrap();
        assert_eq!(app.purses(&buyer).await, (0, 0, -40_000));
        app.topped_up(&buyer, 30_000).await;
        assert_eq!(app.purses(&buyer).await, (0, 0, -10_000));
        app.topped_up(&buyer, 30_000).await;
        assert_eq!(app.purses(&buyer).await, (20_000, 0, 0));
        app.stop().await;
    }

    async fn the_books_balance_after_a_payment_came_and_went(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, finance) = (app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        assert!(app.house(House::GatewayClearing).await < 0, "the provider owes it to us");
        app.refund(&finance, &payment, None, "k").send().await.expect(StatusCode::CREATED);
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.clock.advance(TimeDelta::hours(2));
        app.state.market.poll_refunds().await.unwrap();
        let fee: i64 = app.razorpay().payments()[0]["fee"].as_i64().unwrap();
        assert_eq!(app.house(House::GatewayClearing).await, fee, "its fee is not given back");
        assert_eq!(app.house(House::ExpenseGatewayFee).await + app.house(House::GstInput).await, -fee);
        app.stop().await;
    }

    async fn refunding_needs_finance_a_fresh_code_and_a_key(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, mut finance) = (app.member().await, app.finance().await);
        let moderator = app.staff(Role::Moderator).await;
        let payment = app.topped_up(&buyer, 50_000).await;
        for nobody in [&buyer, &moderator] {
            app.refund(nobody, &payment, None, "k").send().await.problem(StatusCode::FORBIDDEN, "forbidden");
        }
        app.clock.advance(TimeDelta::minutes(6));
        app.refresh(&mut finance).await;
        app.refund(&finance, &payment, None, "k").send().await.problem(StatusCode::FORBIDDEN, "step_up_required");
        app.step_up(&finance).await;
        let body = json!({ "paymentId": payment, "reason": "for the test" });
        app.post("/api/payments/refund").bearer(&finance).json(&body).send().await
            .problem(StatusCode::BAD_REQUEST, "idempotency_key_required");
        let unknown = fresh_key();
        app.refund(&finance, &unknown, None, "k").send().await.problem(StatusCode::NOT_FOUND, "payment_not_found");
        // Nothing came of that, so the key is free; now it is used.
        app.refund(&finance, &payment, Some(10_000), "k").send().await.expect(StatusCode::CREATED);
        app.refund(&finance, &payment, Some(20_000), "k").send().await
            .problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        app.stop().await;
    }
}
