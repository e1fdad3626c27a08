//! Faults of Razorpay: errors, lost connections, and answers lost after the effect.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, id};

async fn set(shop: &Shop, fault: Value) {
    assert_eq!(shop.bench.set_fault(&fault).await.status(), 200, "{fault}");
}

#[tokio::test]
async fn an_error_leaves_nothing_behind_but_after_the_effect_it_does() {
    let shop = Shop::open().await;
    let asked = json!({"amount": 500, "currency": "INR"});
    for (after, orders) in [(false, 0), (true, 1)] {
        set(&shop, json!({"target": "razorpay", "error": 503, "after": after, "times": 1})).await;
        let (status, body) = shop.post("/orders", &asked).await;
        assert_eq!((status, &body["error"]["code"]), (503, &json!("SERVER_ERROR")));
        assert_eq!(shop.desk().orders().len(), orders, "after: {after}");
    }
    assert_eq!(shop.post("/orders", &asked).await.0, 200);
}

#[tokio::test]
async fn a_lost_connection_leaves_nothing_behind_but_a_lost_answer_does() {
    let shop = Shop::open().await;
    for (after, orders) in [(false, 0), (true, 1)] {
        set(&shop, json!({"target": "razorpay", "drop": true, "after": after, "times": 1})).await;
        let body = json!({"amount": 500, "currency": "INR", "receipt": "r1"});
        assert!(shop.request(Method::POST, "/orders").json(&body).send().await.is_err());
        assert_eq!(shop.fetch("/orders?receipt=r1").await["count"], orders, "after: {after}");
    }
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_by_its_key() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    set(&shop, json!({"target": "razorpay", "call": "refund", "drop": true, "after": true, "times": 1}))
        .await;
    assert_eq!(shop.fetch("/refunds").await["count"], 0, "reading is spared");
    let ask = async || {
        let request = shop.request(Method::POST, &format!("/payments/{payment}/refund"));
        request.header("X-Refund-Idempotency", "refund-000001").json(&json!({"amount": 500})).send().await
    };
    assert!(ask().await.is_err());
    let made: Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(shop.desk().refunds().iter().map(id).collect::<Vec<_>>(), [id(&made)]);
}

#[tokio::test]
async fn each_sort_of_call_can_fail_alone() {
    let shop = Shop::open().await;
    let asked = json!({"amount": 500, "currency": "INR", "payment": {"capture": "manual"}});
    let order = id(&shop.post("/orders", &asked).await.1);
    let payment = shop.desk().pay(&order, &sandbox::Pay::success()).unwrap().payment_id;
    let calls = [
        ("order", "/orders".to_owned(), asked),
        ("capture", format!("/payments/{payment}/capture"), json!({"amount": 500})),
        ("refund", format!("/payments/{payment}/refund"), json!({"amount": 500})),
    ];
    for (call, path, body) in &calls {
        set(&shop, json!({"target": "razorpay", "call": call, "error": 500})).await;
        assert_eq!(shop.get("/orders").await.0, 200);
        assert_eq!(shop.post(path, body).await.0, 500, "{call}");
        set(&shop, json!({"target": "razorpay", "call": "read", "error": 500})).await;
        assert_eq!(shop.get("/orders").await.0, 500);
        assert_eq!(shop.post(path, body).await.0, 200, "{call}");
    }
}

#[tokio::test]
async fn the_errors_of_razorpays_side_have_its_codes() {
    let shop = Shop::open().await;
    for (status, code) in [
        (500, "SERVER_ERROR"),
        (504, "GATEWAY_ERROR"),
        (429, "BAD_REQUEST_ERROR"),
        (401, "BAD_REQUEST_ERROR"),
    ] {
        set(&shop, json!({"target": "razorpay", "error": status, "times": 1})).await;
        let (told, body) = shop.get("/orders").await;
        assert_eq!((told, &body["error"]["code"]), (status, &json!(code)));
    }
}

#[tokio::test]
async fn a_bad_gateway_does_not_speak_json() {
    let shop = Shop::open().await;
    set(&shop, json!({"target": "razorpay", "error": 502, "times": 1})).await;
    let answer = shop.request(Method::GET, "/orders").send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert!(answer.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn a_repeated_call_has_its_effect_twice_unless_a_key_prevents_it() {
    let shop = Shop::open().await;
    let payment = shop.captured(500).await;
    let twice = json!({"target": "razorpay", "duplicate": true, "times": 1});
    set(&shop, twice.clone()).await;
    shop.order(700).await;
    assert_eq!(shop.desk().orders().len(), 3, "one was there, two are made");
    set(&shop, twice.clone()).await;
    let request = shop.request(Method::POST, &format!("/payments/{payment}/refund"));
    let request = request.header("X-Refund-Idempotency", "refund-000001").json(&json!({"amount": 100}));
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(shop.desk().refunds().len(), 1);
    set(&shop, twice).await;
    shop.post(&format!("/payments/{payment}/refund"), &json!({"amount": 100})).await;
    assert_eq!(shop.desk().refunds().len(), 3);
}

#[tokio::test]
async fn a_caller_who_hangs_up_has_been_heard_all_the_same() {
    let shop = Shop::open().await;
    set(&shop, json!({"target": "razorpay", "delayMs": 300, "times": 1})).await;
    let request = shop.request(Method::POST, "/orders").timeout(Duration::from_millis(100));
    assert!(request.json(&json!({"amount": 500, "currency": "INR"})).send().await.unwrap_err().is_timeout());
    assert!(shop.desk().orders().is_empty());
    let begun = Instant::now();
    while shop.desk().orders().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
