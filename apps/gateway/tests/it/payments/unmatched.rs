//! Captured money that can be given to nobody: it waits in suspense and goes back to where it came from.

use chrono::TimeDelta;
use kernel::Paging;
use ledger::House;
use payments::{RefundFilter, RefundStatus};
use reqwest::StatusCode;
use sandbox::{Method, OutsidePayment, Pay, RefundEnd};
use serde_json::json;
use testkit::{Scope, on_every_engine};

use super::refunds::newest_refund;
use super::{event, proof};
use crate::support::TestApp;

fn outside(amount: i64, order_id: Option<String>) -> OutsidePayment {
    OutsidePayment { amount, order_id, method: Method::Upi, captured: true, webhooks: false }
}

/// Everything that the provider has been asked to give back is given back.
async fn returned(app: &TestApp) {
    for refund in app.razorpay().refunds() {
        if refund["status"] == "pending" {
            app.refund_ends(refund["id"].as_str().unwrap(), RefundEnd::Processed);
        }
    }
    app.clock.advance(TimeDelta::hours(2));
    app.state.market.poll_refunds().await.unwrap();
}

on_every_engine! { Scope::All =>
    async fn a_second_capture_goes_back_to_its_source(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let first = app.paid(&buyer, 50_000).await;
        app.verify(&buyer, &first).send().await.expect(StatusCode::OK);
        let second = app.razorpay().pay(&first.order_id, &Pay::success().without_webhooks()).unwrap();
        app.told(&event("payment.captured", &second)).await;
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        assert_eq!(app.house(House::SuspenseUnmatched).await, 50_000);
        app.post("/api/payments/verify").bearer(&buyer).json(&proof(&second)).send().await
            .problem(StatusCode::CONFLICT, "payment_returned");
        returned(&app).await;
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        let [refund] = app.razorpay().refunds().try_into().unwrap();
        assert_eq!((refund["payment_id"].as_str(), &refund["amount"]), (Some(second.payment_id.as_str()), &json!(50_000)));
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    /// Invariant 10.
    async fn a_payment_of_another_amount_or_of_no_order_of_ours_goes_back(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        for payment in [outside(49_900, Some(order)), outside(70_000, None)] {
            let made = app.razorpay().pay_outside(&payment).unwrap();
            let id = made["id"].as_str().unwrap();
            for _ in 0..3 {
                app.state.market.apply_payment(id).await.unwrap();
            }
        }
        assert_eq!(app.house(House::SuspenseUnmatched).await, 49_900 + 70_000);
        assert_eq!(app.razorpay().refunds().len(), 2, "each is sent back once");
        returned(&app).await;
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.stop().await;
    }

    /// Invariant 11.
    async fn what_is_only_authorized_and_not_ours_is_neither_captured_nor_credited(db: TestDb) {
        let app = TestApp::start(db).await;
        let payment = OutsidePayment { captured: false, ..outside(70_000, None) };
        let made = app.razorpay().pay_outside(&payment).unwrap();
        app.state.market.apply_payment(made["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(app.razorpay().payments()[0]["status"], "authorized");
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        app.stop().await;
    }

    /// There is too little money at the provider, and then there is enough.
    async fn a_return_that_the_provider_refuses_is_tried_again_the_next_day(db: TestDb) {
        let app = TestApp::start(db).await;
        let made = app.razorpay().pay_outside(&outside(70_000, None)).unwrap();
        app.fault(&json!({ "target": "razorpay", "error": 400, "call": "refund" })).await;
        app.state.market.apply_payment(made["id"].as_str().unwrap()).await.unwrap();
        app.no_faults().await;
        app.clock.advance(TimeDelta::hours(23));
        app.state.market.poll_refunds().await.unwrap();
        assert!(app.razorpay().refunds().is_empty(), "not at once");
        app.clock.advance(TimeDelta::hours(1));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.razorpay().refunds().len(), 1);
        returned(&app).await;
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        app.stop().await;
    }

    async fn a_return_that_is_always_refused_is_tried_for_a_week_and_left_to_a_person(db: TestDb) {
        let app = TestApp::start(db).await;
        let made = app.razorpay().pay_outside(&outside(70_000, None)).unwrap();
        app.fault(&json!({ "target": "razorpay", "error": 400, "call": "refund" })).await;
        app.state.market.apply_payment(made["id"].as_str().unwrap()).await.unwrap();
        let finance = app.state.market.payments.clone();
        let failed = async || {
            let filter = RefundFilter { status: Some(RefundStatus::Failed), ..RefundFilter::default() };
            finance.all_refunds(&filter, &Paging::Numbered { page: 1, limit: 20 }).await.unwrap().data.len()
        };
        for tried in 1..7 {
            assert_eq!(failed().await, tried);
            app.clock.advance(TimeDelta::days(1));
            assert_eq!(app.state.market.poll_refunds().await.unwrap(), 1, "after {tried} days");
        }
        assert_eq!(failed().await, 7);
        app.clock.advance(TimeDelta::days(30));
        assert_eq!(app.state.market.poll_refunds().await.unwrap(), 0);
        assert_eq!(app.house(House::SuspenseUnmatched).await, 70_000, "for a person to look at");
        // Who sends it back in the dashboard.
        app.no_faults().await;
        app.razorpay().refund_from_dashboard(made["id"].as_str().unwrap(), None).unwrap();
        app.refund_ends(&newest_refund(&app), RefundEnd::Processed);
        app.state.market.apply_payment(made["id"].as_str().unwrap()).await.unwrap();
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        app.stop().await;
    }

    /// The provider is away when the money is to go back: the intent stays, and the poller sends it.
    async fn money_that_could_not_be_sent_back_is_sent_later(db: TestDb) {
        let app = TestApp::start(db).await;
        let made = app.razorpay().pay_outside(&outside(70_000, None)).unwrap();
        app.fault(&json!({ "target": "razorpay", "error": 503, "call": "refund" })).await;
        app.state.market.apply_payment(made["id"].as_str().unwrap()).await.unwrap();
        assert!(app.razorpay().refunds().is_empty());
        app.no_faults().await;
        app.clock.advance(TimeDelta::hours(1));
        app.state.market.poll_refunds().await.unwrap();
        assert_eq!(app.razorpay().refunds().len(), 1);
        returned(&app).await;
        assert_eq!(app.house(House::SuspenseUnmatched).await, 0);
        app.stop().await;
    }
}
