//! Razorpay's orders, and who may call at all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sandbox::Pay;
use serde_json::{Map, Value, json};

use crate::shop::{KEY_ID, KEY_SECRET, Shop, id, read, refused};

#[tokio::test]
async fn an_order_is_made_as_razorpay_makes_it() {
    let shop = Shop::open().await;
    let notes = json!({"user": "u1", "wish": "न 'quoted'"});
    let asked = json!({"amount": 50_000, "currency": "INR", "receipt": "r".repeat(40), "notes": notes,
        "partial_payment": false, "payment": {"capture": "automatic", "capture_options": {
            "automatic_expiry_period": 12, "manual_expiry_period": 7200, "refund_speed": "normal"}}});
    let (status, order) = shop.post("/orders", &asked).await;
    assert_eq!(status, 200, "{order}");
    let order_id = id(&order);
    assert!(order_id.len() == 20 && order_id.starts_with("order_"), "{order_id}");
    let expected = json!({
        "id": order_id, "entity": "order", "amount": 50_000, "amount_paid": 0, "amount_due": 50_000,
        "currency": "INR", "receipt": "r".repeat(40), "offer_id": null, "status": "created", "attempts": 0,
        "notes": notes, "created_at": order["created_at"].as_i64().unwrap(),
    });
    assert_eq!(order, expected);
    assert_eq!(shop.fetch(&format!("/orders/{order_id}")).await, order);
}

#[tokio::test]
async fn an_order_without_notes_has_an_empty_list_of_them() {
    let shop = Shop::open().await;
    let order = shop.order(100).await;
    let order = shop.fetch(&format!("/orders/{order}")).await;
    assert_eq!((&order["notes"], &order["receipt"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn what_razorpay_refuses_in_an_order_is_refused() {
    let shop = Shop::open().await;
    let pairs = |count: usize| (0..count).map(|n| (n.to_string(), json!("x"))).collect::<Map<_, _>>();
    for (change, description) in [
        (json!({"amount": null}), "amount: is required."),
        (json!({"amount": 99}), "Order amount less than minimum amount allowed"),
        (json!({"amount": 0}), "The amount must be at least INR 1.00"),
        (json!({"amount": -100}), "The amount must be at least INR 1.00"),
        (json!({"amount": 100.5}), "The amount must be an integer."),
        (json!({"amount": "500"}), "The amount must be an integer."),
        (json!({"currency": null}), "currency: is required."),
        (json!({"currency": "USD"}), "Currency is not supported"),
        (json!({"currency": 1}), "expected string but provided 1"),
        (json!({"receipt": "r".repeat(41)}), "receipt: the length must be no more than 40."),
        (json!({"notes": "x"}), "Notes should be provided as a dictionary."),
        (json!({"notes": pairs(16)}), "Number of fields in notes should be less than or equal to 15."),
        (json!({"notes": {"k": "v".repeat(257)}}), "Notes value cannot be greater than 256 characters."),
        (json!({"notes": {"k".repeat(257): "v"}}), "Notes key cannot be greater than 256 characters."),
        (json!({"notes": {"k": ["v"]}}), "Notes values themselves should not be an array."),
        (json!({"partial_payment": "no"}), "The partial payment field must be true or false."),
        (json!({"payment": {"capture": "later"}}), "The selected capture is invalid."),
        (
            json!({"payment": {"capture": "automatic", "capture_options": {"automatic_expiry_period": 11}}}),
            "The automatic expiry period must be between 12 and 7200.",
        ),
        (json!({"recipt": "r1"}), "recipt is/are not required and should not be sent"),
        (json!({"b": 1, "a": 2}), "a, b is/are not required and should not be sent"),
    ] {
        let mut asked = json!({"amount": 500, "currency": "INR"});
        asked.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        refused(&shop.post("/orders", &asked).await, description);
    }
    let limits = json!({"amount": 100, "currency": "INR", "notes": pairs(15)});
    assert_eq!(shop.post("/orders", &limits).await.0, 200);
    assert_eq!(shop.desk().orders().len(), 1);
}

#[tokio::test]
async fn a_refusal_names_its_field_and_its_origin() {
    let shop = Shop::open().await;
    let (_, answer) = shop.post("/orders", &json!({"amount": 99, "currency": "INR"})).await;
    let expected = json!({"error": {
        "code": "BAD_REQUEST_ERROR", "description": "Order amount less than minimum amount allowed",
        "source": "business", "step": "order_creation", "reason": "amount_less_than_minimum_amount",
        "metadata": {}, "field": "amount",
    }});
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_body_that_is_not_json_has_no_fields_and_broken_json_is_told() {
    let shop = Shop::open().await;
    let form = [("amount", "500"), ("currency", "INR")];
    let answer = shop.request(Method::POST, "/orders").form(&form).send().await.unwrap();
    refused(&read(answer).await, "amount: is required.");
    let request = shop.request(Method::POST, "/orders").header("content-type", "application/json");
    let (status, body) = read(request.body("{\"amount\":").send().await.unwrap()).await;
    let description = body["error"]["description"].as_str().unwrap();
    assert!(status == 400 && description.starts_with("The request body is not valid JSON"), "{body}");
}

#[tokio::test]
async fn orders_are_found_by_their_receipt_also_two_with_the_same() {
    let shop = Shop::open().await;
    let asked = json!({"amount": 500, "currency": "INR", "receipt": "topup 1/2&3"});
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(shop.post("/orders", &asked).await.1);
    }
    shop.order(700).await;
    made.reverse();
    let found = shop.fetch("/orders?receipt=topup%201%2F2%263").await;
    assert_eq!(found, json!({"entity": "collection", "count": 2, "items": made}));
    let nothing = json!({"entity": "collection", "count": 0, "items": []});
    assert_eq!(shop.fetch("/orders?receipt=unknown").await, nothing);
}

#[tokio::test]
async fn an_account_can_want_its_receipts_to_be_unique() {
    let shop = Shop::with(|razorpay| razorpay.unique_receipts = true).await;
    let asked = json!({"amount": 500, "currency": "INR", "receipt": "r1"});
    assert_eq!(shop.post("/orders", &asked).await.0, 200);
    refused(&shop.post("/orders", &asked).await, "Order receipt should be unique.");
    shop.order(500).await;
    shop.order(500).await;
}

#[tokio::test]
async fn lists_are_cut_by_time_skip_and_count() {
    let shop = Shop::open().await;
    let mut orders = Vec::new();
    for n in 0..12 {
        orders.push(shop.order(100 + n).await);
    }
    orders.reverse();
    let ids = |list: &Value| list["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    assert_eq!(ids(&shop.fetch("/orders").await), orders[..10]);
    assert_eq!(ids(&shop.fetch("/orders?count=100").await), orders);
    assert_eq!(ids(&shop.fetch("/orders?skip=10&count=1").await), orders[10..11]);
    let at = shop.fetch(&format!("/orders/{}", orders[0])).await["created_at"].as_i64().unwrap();
    assert_eq!(shop.fetch(&format!("/orders?from={}", at + 60)).await["count"], 0);
    assert_eq!(shop.fetch(&format!("/orders?to={}", at - 60)).await["count"], 0);
    assert_eq!(shop.fetch(&format!("/orders?from={}&to={at}&count=100", at - 60)).await["count"], 12);
    for (query, description) in [
        ("count=101", "The count may not be greater than 100."),
        ("count=0", "The count must be at least 1."),
        ("count=ten", "The count must be an integer."),
        ("skip=-1", "The skip must be an integer."),
        ("from=today", "The from must be an integer."),
        ("reciept=r1", "reciept is/are not required and should not be sent"),
    ] {
        refused(&shop.get(&format!("/orders?{query}")).await, description);
    }
}

#[tokio::test]
async fn only_the_accounts_own_key_is_let_in() {
    let shop = Shop::open().await;
    let request = |method| shop.bench.request(method, "/v1/orders");
    let encoded = STANDARD.encode(format!("{KEY_ID}:{KEY_SECRET}"));
    let right = request(Method::GET).header("authorization", format!("Basic {encoded}"));
    assert_eq!(right.send().await.unwrap().status(), 200);
    for wrong in [
        request(Method::GET),
        request(Method::GET).basic_auth(KEY_ID, Some("wrong")),
        request(Method::GET).basic_auth(KEY_ID, None::<&str>),
        request(Method::GET).basic_auth("rzp_test_00000000000000", Some(KEY_SECRET)),
        request(Method::GET).bearer_auth(KEY_SECRET),
        request(Method::GET).header("authorization", format!("basic {encoded}")),
        request(Method::GET).header("authorization", format!("BASIC {encoded}")),
        request(Method::GET).header("authorization", "Basic ???"),
        request(Method::POST).json(&json!({"amount": 500, "currency": "INR"})),
    ] {
        let (status, body) = read(wrong.send().await.unwrap()).await;
        assert_eq!(status, 401);
        assert_eq!(body["error"]["description"], "Authentication failed");
        assert_eq!(body["error"]["code"], "BAD_REQUEST_ERROR");
    }
    assert!(shop.desk().orders().is_empty());
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_bad_request() {
    let shop = Shop::open().await;
    let description = "The requested URL was not found on the server.";
    refused(&shop.get("/ordres").await, description);
    refused(&shop.get("/payments/pay_00000000000000/capture").await, description);
    refused(&shop.post("/payments", &json!({})).await, description);
    let order = shop.order(100).await;
    let answer = shop.request(Method::DELETE, &format!("/orders/{order}")).send().await.unwrap();
    refused(&read(answer).await, description);
}

#[tokio::test]
async fn an_id_is_well_formed_and_known_or_refused() {
    let shop = Shop::open().await;
    let order = shop.order(100).await;
    for path in
        ["/orders/order_00000000000000", "/payments/pay_00000000000000", "/refunds/rfnd_00000000000000"]
    {
        refused(&shop.get(path).await, "The id provided does not exist");
    }
    refused(&shop.get("/orders/12").await, "12 is not a valid id");
    refused(&shop.get(&format!("/payments/{order}")).await, &format!("{order} is not a valid id"));
    let swapped: String = order.chars().map(swap_case).collect();
    refused(&shop.get(&format!("/orders/{swapped}")).await, &format!("{swapped} is not a valid id"));
}

fn swap_case(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

#[tokio::test]
async fn an_order_goes_from_created_by_attempted_to_paid() {
    let shop = Shop::open().await;
    let order = shop.order(50_000).await;
    let path = format!("/orders/{order}");
    let state = |order: &Value| {
        let fields = ["status", "attempts", "amount_paid", "amount_due"];
        fields.iter().map(|field| order[*field].clone()).collect::<Vec<_>>()
    };
    let fail = Pay::with(sandbox::PayOutcome::Failure);
    shop.desk().pay(&order, &fail).unwrap();
    assert_eq!(json!(state(&shop.fetch(&path).await)), json!(["attempted", 1, 0, 50_000]));
    let paid = shop.desk().pay(&order, &Pay::success()).unwrap();
    assert_eq!(json!(state(&shop.fetch(&path).await)), json!(["paid", 2, 50_000, 0]));
    let (status, _) = shop.post(&format!("/payments/{}/refund", paid.payment_id), &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(json!(state(&shop.fetch(&path).await)), json!(["paid", 2, 50_000, 0]), "also when refunded");
}
