//! Razorpay's payments: made by control, seen and captured through the API.

use std::time::{Duration, Instant};

use sandbox::{OutsidePayment, Pay, PayOutcome};
use serde_json::{Value, json};

use crate::shop::{KEY_SECRET, Shop, id, refused};

/// HMAC-SHA-256 as another implementation has it would be no use here: the SDKs of the interop suite have theirs.
fn hmac(secret: &str, message: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

async fn manual_order(shop: &Shop, amount: i64) -> String {
    let asked = json!({"amount": amount, "currency": "INR", "payment": {"capture": "manual"}});
    id(&shop.post("/orders", &asked).await.1)
}

#[tokio::test]
async fn paying_an_order_answers_what_checkout_gives_the_browser() {
    let shop = Shop::open().await;
    let order = shop.order(50_000).await;
    let (status, triple) =
        shop.control(&format!("/orders/{order}/pay"), &json!({"outcome": "success"})).await;
    assert_eq!(status, 200, "{triple}");
    let payment = triple["razorpay_payment_id"].as_str().unwrap();
    assert_eq!(triple["razorpay_order_id"], order);
    assert_eq!(triple["razorpay_signature"], hmac(KEY_SECRET, &format!("{order}|{payment}")));

    let seen = shop.fetch(&format!("/payments/{payment}")).await;
    let expected = json!({
        "id": payment, "entity": "payment", "amount": 50_000, "currency": "INR", "status": "captured",
        "order_id": order, "invoice_id": null, "international": false, "method": "upi", "amount_refunded": 0,
        "refund_status": null, "captured": true, "description": seen["description"], "card_id": null, "bank": null,
        "wallet": null, "vpa": "success@razorpay", "email": "void@razorpay.com", "contact": "+919000090000",
        "notes": [], "fee": 1_180, "tax": 180, "error_code": null, "error_description": null,
        "error_source": null, "error_step": null, "error_reason": null,
        "acquirer_data": {"rrn": seen["acquirer_data"]["rrn"].as_str().unwrap()},
        "created_at": seen["created_at"].as_i64().unwrap(),
    });
    assert_eq!(seen, expected);
    let of_order = json!({"entity": "collection", "count": 1, "items": [seen]});
    assert_eq!(shop.fetch(&format!("/orders/{order}/payments")).await, of_order);
    assert_eq!(shop.fetch("/payments").await, of_order);
}

#[tokio::test]
async fn a_payment_fails_with_an_error_and_no_signature() {
    let shop = Shop::open().await;
    let order = shop.order(50_000).await;
    let asked = json!({"outcome": "failure", "method": "card"});
    let (_, answer) = shop.control(&format!("/orders/{order}/pay"), &asked).await;
    let metadata = &answer["error"]["metadata"];
    assert_eq!(
        (&answer["error"]["reason"], &metadata["order_id"]),
        (&json!("payment_cancelled"), &json!(order))
    );
    assert_eq!(answer["razorpay_signature"], Value::Null);
    let payment = shop.fetch(&format!("/payments/{}", metadata["payment_id"].as_str().unwrap())).await;
    assert_eq!((&payment["status"], &payment["captured"]), (&json!("failed"), &json!(false)));
    assert_eq!(
        (&payment["error_source"], &payment["error_step"]),
        (&json!("customer"), &json!("payment_authentication"))
    );
    assert_eq!(
        (&payment["method"], &payment["fee"], &payment["vpa"]),
        (&json!("card"), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn an_authorised_payment_is_captured_once_with_its_own_amount() {
    let shop = Shop::open().await;
    let order = manual_order(&shop, 50_000).await;
    let payment = shop.desk().pay(&order, &Pay::success()).unwrap().payment_id;
    let seen = shop.fetch(&format!("/payments/{payment}")).await;
    assert_eq!(json!([seen["status"], seen["fee"], seen["tax"]]), json!(["authorized", null, null]));
    assert_eq!(shop.fetch(&format!("/orders/{order}")).await["status"], "attempted");

    let capture = format!("/payments/{payment}/capture");
    let differs = "Capture amount must be equal to the amount authorized";
    refused(&shop.post(&capture, &json!({"amount": 49_999, "currency": "INR"})).await, differs);
    refused(&shop.post(&capture, &json!({"amount": 50_001})).await, differs);
    refused(&shop.post(&capture, &json!({})).await, "The amount field is required.");
    refused(&shop.post(&capture, &json!({"amount": "50000"})).await, "The amount must be an integer.");
    let dollars = json!({"amount": 50_000, "currency": "USD"});
    refused(&shop.post(&capture, &dollars).await, "The currency should match with the payment's currency");
    let extra = json!({"amount": 50_000, "notes": {}});
    refused(&shop.post(&capture, &extra).await, "notes is/are not required and should not be sent");

    let (status, captured) = shop.post(&capture, &json!({"amount": 50_000, "currency": "INR"})).await;
    assert_eq!((status, &captured["status"], &captured["fee"]), (200, &json!("captured"), &json!(1_180)));
    let again = shop.post(&capture, &json!({"amount": 50_000})).await;
    refused(&again, "This payment has already been captured");
    assert_eq!(shop.fetch(&format!("/orders/{order}")).await["status"], "paid");
}

#[tokio::test]
async fn neither_a_failed_payment_nor_one_of_a_paid_order_can_be_captured() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let failed = shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap().payment_id;
    let waiting = shop.desk().pay(&order, &Pay::with(PayOutcome::Authorized)).unwrap().payment_id;
    shop.desk().pay(&order, &Pay::success()).unwrap();
    refused(
        &shop.post(&format!("/payments/{failed}/capture"), &json!({"amount": 500})).await,
        "Only payments which have been authorized and not yet captured can be captured",
    );
    refused(
        &shop.post(&format!("/payments/{waiting}/capture"), &json!({"amount": 500})).await,
        "Your payment has been declined as the order is already paid",
    );
}

#[tokio::test]
async fn a_failed_payment_is_captured_late_when_the_bank_answers() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let (_, answer) = shop.control(&format!("/orders/{order}/pay"), &json!({"outcome": "late"})).await;
    let payment = answer["error"]["metadata"]["payment_id"].as_str().unwrap();
    assert_eq!(answer["error"]["reason"], "payment_timed_out");
    assert_eq!(shop.fetch(&format!("/payments/{payment}")).await["status"], "failed");

    let (status, settled) = shop.control(&format!("/payments/{payment}/settle"), &json!({})).await;
    assert_eq!((status, &settled["status"]), (200, &json!("captured")));
    assert_eq!(settled["error_code"], Value::Null);
    assert_eq!(shop.fetch(&format!("/orders/{order}")).await["status"], "paid");
    assert_eq!(shop.control(&format!("/payments/{payment}/settle"), &json!({})).await.0, 400);
}

#[tokio::test]
async fn a_late_payment_settles_by_itself_when_told_to() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let late = Pay { settle_after_ms: Some(50), ..Pay::with(PayOutcome::Late) };
    let payment = shop.desk().pay(&order, &late).unwrap().payment_id;
    let begun = Instant::now();
    while shop.fetch(&format!("/payments/{payment}")).await["status"] != "captured" {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_money_of_a_late_payment_goes_back_if_another_paid_the_order() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let late = shop.desk().pay(&order, &Pay::with(PayOutcome::Late)).unwrap().payment_id;
    shop.desk().pay(&order, &Pay::success()).unwrap();
    let settled = shop.desk().settle(&late).unwrap();
    assert_eq!(
        json!([settled["status"], settled["captured"], settled["amount_refunded"]]),
        json!(["refunded", false, 500])
    );
    assert_eq!(shop.fetch(&format!("/payments/{late}/refunds")).await["count"], 1);
}

#[tokio::test]
async fn control_can_pay_an_order_twice_and_with_another_amount() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    for amount in [None, Some(700)] {
        shop.desk().pay(&order, &Pay { amount, ..Pay::success() }).unwrap();
    }
    let payments = shop.fetch(&format!("/orders/{order}/payments")).await;
    let seen: Vec<_> =
        payments["items"].as_array().unwrap().iter().map(|p| json!([p["amount"], p["status"]])).collect();
    assert_eq!(json!(seen), json!([[700, "captured"], [500, "captured"]]));
    let order = shop.fetch(&format!("/orders/{order}")).await;
    assert_eq!(json!([order["amount_paid"], order["attempts"]]), json!([500, 2]));
}

#[tokio::test]
async fn a_payment_made_elsewhere_has_no_order() {
    let shop = Shop::open().await;
    let (status, payment) = shop.control("/payments", &json!({"amount": 900, "method": "netbanking"})).await;
    assert_eq!(status, 200, "{payment}");
    assert_eq!(
        json!([payment["order_id"], payment["status"], payment["bank"]]),
        json!([null, "captured", "HDFC"])
    );
    assert_eq!(shop.fetch(&format!("/payments/{}", id(&payment))).await, payment);
    let order_id = Some("order_00000000000000".to_owned());
    let foreign =
        OutsidePayment { amount: 900, order_id, method: Default::default(), captured: true, webhooks: true };
    assert!(shop.desk().pay_outside(&foreign).is_err());
}

#[tokio::test]
async fn what_makes_no_sense_to_control_is_refused() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let pay = format!("/orders/{order}/pay");
    for (path, body) in [
        (pay.as_str(), json!({})),
        (&pay, json!({"outcome": "maybe"})),
        (&pay, json!({"outcome": "success", "methd": "upi"})),
        (&pay, json!({"outcome": "success", "method": "cash"})),
        (&pay, json!({"outcome": "success", "amount": 0})),
        ("/orders/order_00000000000000/pay", json!({"outcome": "success"})),
        ("/payments", json!({"amount": -5})),
        ("/payments/pay_00000000000000/settle", json!({})),
        ("/payments/pay_00000000000000/refund", json!({})),
        ("/refunds/rfnd_00000000000000", json!({"status": "processed"})),
        ("/refunds/rfnd_00000000000000", json!({"status": "pending"})),
        ("/webhooks", json!({"duplicate": -1})),
        ("/webhooks", json!({"duplicate": 101})),
        ("/webhooks", json!({"delayMs": 3_600_001})),
        ("/webhooks", json!({"url": "http://example.in/hook"})),
    ] {
        let (status, problem) = shop.control(path, &body).await;
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{path} {body}: {problem}");
    }
    assert!(shop.desk().payments().is_empty());
}
