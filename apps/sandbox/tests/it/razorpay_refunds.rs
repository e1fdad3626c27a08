//! Razorpay's refunds: in full and in part, idempotent, pending until they end.

use std::time::Duration;

use reqwest::Method;
use sandbox::{Pay, PayOutcome, RefundEnd};
use serde_json::{Value, json};

use crate::shop::{Shop, id, read, refused};

/// Asks for a refund under an idempotency key.
async fn refund(shop: &Shop, payment: &str, key: &str, body: &Value) -> (u16, Value) {
    let request = shop.request(Method::POST, &format!("/payments/{payment}/refund"));
    read(request.header("X-Refund-Idempotency", key).json(body).send().await.unwrap()).await
}

#[tokio::test]
async fn a_refund_is_pending_then_processed() {
    let shop = Shop::open().await;
    let payment = shop.captured(50_000).await;
    let asked = json!({"amount": 20_000, "speed": "normal", "receipt": "back-1", "notes": {"why": "twice"}});
    let (status, made) = shop.post(&format!("/payments/{payment}/refund"), &asked).await;
    assert_eq!(status, 200, "{made}");
    let refund_id = id(&made);
    assert!(refund_id.len() == 19 && refund_id.starts_with("rfnd_"), "{refund_id}");
    let expected = json!({
        "id": refund_id, "entity": "refund", "amount": 20_000, "currency": "INR", "payment_id": payment,
        "notes": {"why": "twice"}, "receipt": "back-1", "acquirer_data": {"arn": null},
        "created_at": made["created_at"].as_i64().unwrap(), "batch_id": null, "status": "pending",
        "speed_processed": "normal", "speed_requested": "normal",
    });
    assert_eq!(made, expected);
    let (status, ended) =
        shop.control(&format!("/refunds/{refund_id}"), &json!({"status": "processed"})).await;
    assert_eq!((status, &ended["status"]), (200, &json!("processed")));
    assert_eq!(shop.fetch(&format!("/refunds/{refund_id}")).await, ended);
    assert!(shop.desk().finish_refund(&refund_id, RefundEnd::Failed).is_err(), "it has ended");
}

#[tokio::test]
async fn a_part_leaves_the_payment_captured_and_the_rest_makes_it_refunded() {
    let shop = Shop::open().await;
    let payment = shop.captured(50_000).await;
    let path = format!("/payments/{payment}/refund");
    let state = async || {
        let payment = shop.fetch(&format!("/payments/{payment}")).await;
        json!([payment["status"], payment["refund_status"], payment["amount_refunded"], payment["captured"]])
    };
    assert_eq!(state().await, json!(["captured", null, 0, true]));
    shop.post(&path, &json!({"amount": 20_000})).await;
    assert_eq!(state().await, json!(["captured", "partial", 20_000, true]));
    let too_much = shop.post(&path, &json!({"amount": 30_001})).await;
    refused(&too_much, "The total refund amount is greater than the refund payment amount");
    let (_, rest) = shop.post(&path, &json!({})).await;
    assert_eq!(rest["amount"], 30_000, "all that is left");
    assert_eq!(state().await, json!(["refunded", "full", 50_000, true]));
    let fees = shop.fetch(&format!("/payments/{payment}")).await;
    assert_eq!((&fees["fee"], &fees["tax"]), (&json!(1_180), &json!(180)), "the fee is not given back");
    refused(&shop.post(&path, &json!({})).await, "The payment has been fully refunded already");
}

#[tokio::test]
async fn what_razorpay_refuses_in_a_refund_is_refused() {
    let shop = Shop::open().await;
    let payment = shop.captured(50_000).await;
    for (body, description) in [
        (json!({"amount": 50_001}), "The refund amount provided is greater than amount captured"),
        (json!({"amount": 99}), "The amount must be at least INR 1.00"),
        (json!({"amount": -1}), "The amount must be at least INR 1.00"),
        (json!({"amount": "100"}), "The amount must be an integer."),
        (json!({"speed": "fast"}), "The selected speed is invalid."),
        (json!({"receipt": "r".repeat(41)}), "receipt: the length must be no more than 40."),
        (json!({"notes": [1]}), "Notes should be provided as a dictionary."),
        (json!({"currency": "INR"}), "currency is/are not required and should not be sent"),
    ] {
        refused(&shop.post(&format!("/payments/{payment}/refund"), &body).await, description);
    }
    let order = shop.order(500).await;
    for outcome in [PayOutcome::Authorized, PayOutcome::Failure] {
        let payment = shop.desk().pay(&order, &Pay::with(outcome)).unwrap().payment_id;
        let answer = shop.post(&format!("/payments/{payment}/refund"), &json!({})).await;
        refused(&answer, "The payment status should be captured for action to be taken");
    }
    assert!(shop.desk().refunds().is_empty());
}

#[tokio::test]
async fn a_refund_at_optimum_speed_is_processed_at_once() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    let (_, made) = shop.post(&format!("/payments/{payment}/refund"), &json!({"speed": "optimum"})).await;
    let speeds = json!([made["status"], made["speed_requested"], made["speed_processed"]]);
    assert_eq!(speeds, json!(["processed", "optimum", "instant"]));
}

#[tokio::test]
async fn refunds_are_processed_after_the_delay_or_at_once_without_one() {
    for delay in [Duration::ZERO, Duration::from_millis(30)] {
        let shop = Shop::with(|razorpay| razorpay.refund_delay = delay).await;
        let payment = shop.captured(500).await;
        let (_, made) = shop.post(&format!("/payments/{payment}/refund"), &json!({})).await;
        assert_eq!(made["status"], if delay.is_zero() { "processed" } else { "pending" });
        let path = format!("/refunds/{}", id(&made));
        let ended = async { while shop.fetch(&path).await["status"] != "processed" {} };
        tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_refund_can_be_made_again() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    let path = format!("/payments/{payment}/refund");
    let (_, made) = shop.post(&path, &json!({})).await;
    let failed = shop.desk().finish_refund(&id(&made), RefundEnd::Failed).unwrap();
    assert_eq!(failed["status"], "failed");
    let seen = shop.fetch(&format!("/payments/{payment}")).await;
    assert_eq!(json!([seen["status"], seen["amount_refunded"]]), json!(["captured", 0]));
    assert_eq!(shop.post(&path, &json!({})).await.0, 200);
}

#[tokio::test]
async fn the_same_key_and_body_give_the_same_refund() {
    let shop = Shop::open().await;
    let payment = shop.captured(50_000).await;
    let body = json!({"amount": 20_000});
    let (_, first) = refund(&shop, &payment, "refund-000001", &body).await;
    let (status, again) = refund(&shop, &payment, "refund-000001", &body).await;
    assert_eq!((status, &again), (200, &first));
    shop.desk().finish_refund(&id(&first), RefundEnd::Processed).unwrap();
    assert_eq!(refund(&shop, &payment, "refund-000001", &body).await.1["status"], "processed");
    assert_eq!(shop.desk().refunds().len(), 1);
    let (_, second) = refund(&shop, &payment, "refund-000002", &body).await;
    assert_ne!(id(&second), id(&first));
}

#[tokio::test]
async fn a_key_is_good_for_one_body_and_one_payment() {
    let shop = Shop::open().await;
    let (payment, other) = (shop.captured(50_000).await, shop.captured(50_000).await);
    refund(&shop, &payment, "refund-000001", &json!({"amount": 20_000})).await;
    let description = "Different request with the same idempotency key has already been processed.";
    refused(&refund(&shop, &payment, "refund-000001", &json!({"amount": 20_001})).await, description);
    refused(&refund(&shop, &other, "refund-000001", &json!({"amount": 20_000})).await, description);
    assert_eq!(shop.desk().refunds().len(), 1);
}

#[tokio::test]
async fn a_key_of_a_refused_request_is_free_again() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    assert_eq!(refund(&shop, &payment, "refund-000001", &json!({"amount": 501})).await.0, 400);
    assert_eq!(refund(&shop, &payment, "refund-000001", &json!({"amount": 500})).await.0, 200);
}

#[tokio::test]
async fn a_key_is_long_enough_and_of_the_right_characters() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    for key in ["", "123456789", "refund 000001", "refund/000001", "refund.000001"] {
        let (status, body) = refund(&shop, &payment, key, &json!({})).await;
        let description = body["error"]["description"].as_str().unwrap();
        assert!(status == 400 && description.contains("at least 10 characters"), "{key}: {body}");
    }
    assert_eq!(refund(&shop, &payment, "Refund_0-1", &json!({})).await.0, 200);
}

#[tokio::test]
async fn a_key_whose_request_runs_is_a_conflict() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    let slow = json!({"target": "razorpay", "call": "refund", "delayMs": 400, "times": 1});
    shop.bench.set_fault(&slow).await;
    let body = json!({"amount": 500});
    let second = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        refund(&shop, &payment, "refund-000001", &body).await
    };
    let (first, second) = tokio::join!(refund(&shop, &payment, "refund-000001", &body), second);
    assert_eq!((first.0, second.0), (200, 409), "{} {}", first.1, second.1);
    assert_eq!(refund(&shop, &payment, "refund-000001", &body).await.1, first.1);
    assert_eq!(shop.desk().refunds().len(), 1);
}

#[tokio::test]
async fn refunds_are_listed_by_payment_and_in_all() {
    let shop = Shop::open().await;
    let (payment, other) = (shop.captured(500).await, shop.captured(600).await);
    let made = shop.desk().refund_from_dashboard(&payment, Some(200)).unwrap();
    let (_, second) = shop.control(&format!("/payments/{other}/refund"), &json!({"amount": 100})).await;
    let listed = |items: Value| json!({"entity": "collection", "count": items.as_array().unwrap().len(), "items": items});
    assert_eq!(shop.fetch("/refunds").await, listed(json!([second, made])));
    assert_eq!(shop.fetch(&format!("/payments/{payment}/refunds")).await, listed(json!([made])));
    let one = |payment: &str| format!("/payments/{payment}/refunds/{}", id(&made));
    assert_eq!(shop.fetch(&one(&payment)).await, made);
    refused(&shop.get(&one(&other)).await, "The id provided does not exist");
}
