//! Orders, and checkouts that come back.

use futures_util::future::join_all;
use platform::settings::{MAX_TOPUP_AMOUNT, WALLET_TOPUP};
use reqwest::StatusCode;
use sandbox::{Checkout, Pay, PayOutcome, RefundEnd};
use serde_json::json;
use testkit::{Scope, on_every_engine};

use super::{fresh_key, proof, signature};
use crate::support::TestApp;

on_every_engine! { Scope::All =>
    async fn an_order_is_what_the_checkout_is_opened_with(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.order(&buyer, 50_000, "k").send().await.expect(StatusCode::CREATED);
        let [placed] = app.razorpay().orders().try_into().unwrap();
        assert_eq!(order.text("/razorpayOrderId"), placed["id"].as_str().unwrap());
        assert_eq!(order.text("/receipt"), placed["receipt"].as_str().unwrap());
        assert_eq!((&order.body["amount"], &order.body["currency"]), (&json!(50_000), &json!("INR")));
        assert_eq!(order.text("/keyId"), "rzp_test_SandboxKey0001");
        app.stop().await;
    }

    async fn receipt_len_le_40(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let receipt = app.order(&buyer, 100, "k").send().await.expect(StatusCode::CREATED).text("/receipt");
        assert!((1..=40).contains(&receipt.len()), "{receipt}");
        app.stop().await;
    }

    /// Invariant 27: amounts are whole paise, and nothing that only looks like them.
    async fn amount_as_string_float_or_array_is_refused(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        for amount in ["\"50000\"", "50000.0", "5e4", "[50000]", "{\"amount\": 50000}", "null", "true", "-50000", "0", "99",
                       "5000001", "99999999999999999999", "-0"] {
            let answer = app
                .post("/api/payments/order")
                .bearer(&buyer)
                .header("idempotency-key", "k")
                .raw("application/json", format!("{{\"amount\": {amount}}}"))
                .send()
                .await
                .problem(StatusCode::BAD_REQUEST, "invalid_input");
            assert_eq!(answer.fields(), ["amount"], "{amount}");
        }
        assert!(app.razorpay().orders().is_empty());
        app.stop().await;
    }

    async fn an_order_needs_a_key(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let answer = app.post("/api/payments/order").bearer(&buyer).json(&json!({ "amount": 50_000 })).send().await
            .problem(StatusCode::BAD_REQUEST, "idempotency_key_required");
        assert_eq!(answer.fields(), ["Idempotency-Key"]);
        app.stop().await;
    }

    async fn staff_bound_and_switch_off_top_ups(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let made = app.order(&buyer, 20_000, "before").send().await.expect(StatusCode::CREATED);
        app.set(MAX_TOPUP_AMOUNT.definition(), json!(10_000)).await;
        app.order(&buyer, 20_000, "k").send().await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        app.order(&buyer, 10_000, "k").send().await.expect(StatusCode::CREATED);
        app.set(WALLET_TOPUP.definition(), json!(false)).await;
        app.order(&buyer, 10_000, "k2").send().await.problem(StatusCode::SERVICE_UNAVAILABLE, "top_ups_paused");
        let again = app.order(&buyer, 20_000, "before").send().await.expect(StatusCode::CREATED);
        assert_eq!(again.bytes, made.bytes, "what was answered stays answered");
        app.stop().await;
    }

    async fn verify_replay_credits_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        for _ in 0..3 {
            let wallet = app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
            assert_eq!(wallet.body["available"]["amount"], 50_000);
        }
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn verify_replay_credits_once_of_32_at_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let answers = join_all((0..32).map(|_| app.verify(&buyer, &checkout).send())).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn verify_foreign_order_refused(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, thief) = (app.member().await, app.member().await);
        let checkout = app.paid(&buyer, 50_000).await;
        app.verify(&thief, &checkout).send().await.problem(StatusCode::NOT_FOUND, "payment_order_not_found");
        // Nor does somebody else's payment count for an order of one's own.
        let own = app.ordered(&thief, 50_000).await;
        let forged = Checkout { order_id: own, ..checkout.clone() };
        app.verify(&thief, &forged).send().await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        assert_eq!((app.purses(&thief).await, app.purses(&buyer).await), ((0, 0, 0), (0, 0, 0)));
        app.stop().await;
    }

    async fn a_signature_that_is_not_the_providers_credits_nothing(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let genuine = checkout.signature.clone().unwrap();
        let flipped: String = genuine.chars().rev().collect();
        let shortened: String = genuine.chars().skip(1).collect();
        for forged in ["x", &shortened, &format!("{genuine}0"), &flipped, &signature("sandbox-key-secret", b"")] {
            let forged = Checkout { signature: Some(forged.to_owned()), ..checkout.clone() };
            app.verify(&buyer, &forged).send().await.problem(StatusCode::BAD_REQUEST, "bad_signature");
        }
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.stop().await;
    }

    async fn an_authorized_payment_is_captured_and_credited(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let checkout = app.razorpay().pay(&order, &Pay::with(PayOutcome::Authorized).without_webhooks()).unwrap();
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        assert_eq!(app.razorpay().payments()[0]["status"], "captured");
        assert_eq!(app.purses(&buyer).await, (50_000, 0, 0));
        app.stop().await;
    }

    async fn verify_after_partial_refund_nets(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let refund = app.razorpay().refund_from_dashboard(&checkout.payment_id, Some(20_000)).unwrap();
        app.refund_ends(refund["id"].as_str().unwrap(), RefundEnd::Processed);
        app.verify(&buyer, &checkout).send().await.expect(StatusCode::OK);
        assert_eq!(app.purses(&buyer).await, (30_000, 0, 0), "what was refunded is not credited");
        app.stop().await;
    }

    /// Invariant 11.
    async fn a_wholly_refunded_payment_never_credits(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let checkout = app.paid(&buyer, 50_000).await;
        let refund = app.razorpay().refund_from_dashboard(&checkout.payment_id, None).unwrap();
        app.refund_ends(refund["id"].as_str().unwrap(), RefundEnd::Processed);
        app.verify(&buyer, &checkout).send().await.problem(StatusCode::CONFLICT, "payment_returned");
        assert_eq!(app.purses(&buyer).await, (0, 0, 0));
        app.stop().await;
    }

    async fn a_verified_payment_is_answered_alike_under_its_key(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let (first, second) = (app.paid(&buyer, 50_000).await, app.paid(&buyer, 20_000).await);
        let key = fresh_key();
        let verify = |checkout: &Checkout| app.verify(&buyer, checkout).header("idempotency-key", &key).send();
        let answer = verify(&first).await.expect(StatusCode::OK);
        app.verify(&buyer, &second).send().await.expect(StatusCode::OK);
        let again = verify(&first).await.expect(StatusCode::OK);
        assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &answer.bytes));
        verify(&second).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        app.stop().await;
    }

    async fn members_see_their_payments_and_finance_sees_all(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, other, finance) = (app.member().await, app.member().await, app.finance().await);
        let payment = app.topped_up(&buyer, 50_000).await;
        let path = format!("/api/payments/{payment}");
        let seen = app.get(&path).bearer(&buyer).send().await.expect(StatusCode::OK);
        assert_eq!((seen.text("/status"), &seen.body["amount"]["amount"]), ("CAPTURED".to_owned(), &json!(50_000)));
        app.get(&path).bearer(&other).send().await.problem(StatusCode::NOT_FOUND, "payment_not_found");
        app.get(&format!("{path}/refunds")).bearer(&other).send().await.problem(StatusCode::NOT_FOUND, "payment_not_found");
        let none = app.get("/api/payments").bearer(&other).send().await.expect(StatusCode::OK);
        assert_eq!(none.body["data"], json!([]));
        let query = format!("/api/payments/all?userId={}&outcome=CREDITED", buyer.user_id);
        let all = app.get(&query).bearer(&finance).send().await.expect(StatusCode::OK);
        assert_eq!((all.body["data"].as_array().unwrap().len(), all.text("/data/0/id")), (1, payment));
        app.stop().await;
    }

    async fn a_payer_who_never_paid_is_told_so(db: TestDb) {
        let app = TestApp::start(db).await;
        let buyer = app.member().await;
        let order = app.ordered(&buyer, 50_000).await;
        let failed = app.razorpay().pay(&order, &Pay::with(PayOutcome::Failure).without_webhooks()).unwrap();
        assert_eq!(failed.signature, None);
        let body = format!("{}|{}", failed.order_id, failed.payment_id);
        let genuine = signature("sandbox-key-secret", body.as_bytes());
        let forged = Checkout { signature: Some(genuine), ..failed };
        app.post("/api/payments/verify").bearer(&buyer).json(&proof(&forged)).send().await
            .problem(StatusCode::CONFLICT, "payment_not_captured");
        app.stop().await;
    }
}
