//! Razorpay's webhooks: what they tell, how they are signed, and what becomes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use sandbox::{Pay, PayOutcome, RefundEnd, WebhookBehaviour};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::receiver::{Manners, Received, Receiver};
use crate::shop::{Shop, id};

const SECRET: &str = "sandbox-webhook-secret";

fn hmac(secret: &str, message: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// A shop whose webhooks go to the receiver.
async fn shop_telling(receiver: &Receiver) -> Shop {
    let shop = Shop::open().await;
    shop.desk().webhooks_to(&receiver.url).unwrap();
    shop
}

fn names(events: &[&str]) -> BTreeSet<String> {
    events.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_captured_payment_is_told_three_times_as_it_was_each_time() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    let payment = shop.captured(50_000).await;
    shop.desk().webhooks_sent().await;
    let received = receiver.received();
    let told = |event: &str| received.iter().find(|one| one.event() == event).unwrap().json();
    assert_eq!(received.len(), 3);

    let captured = told("payment.captured");
    let seen = shop.fetch(&format!("/payments/{payment}")).await;
    let expected = json!({
        "entity": "event", "account_id": captured["account_id"].as_str().unwrap(), "event": "payment.captured",
        "contains": ["payment"], "payload": {"payment": {"entity": seen}},
        "created_at": captured["created_at"].as_i64().unwrap(),
    });
    assert_eq!(captured, expected);

    let authorized = &told("payment.authorized")["payload"]["payment"]["entity"];
    assert_eq!(json!([authorized["status"], authorized["fee"]]), json!(["authorized", null]), "a snapshot");
    let paid = told("order.paid");
    assert_eq!(paid["contains"], json!(["payment", "order"]));
    assert_eq!(paid["payload"]["order"]["entity"]["status"], "paid");
    let ids: BTreeSet<_> = received.iter().map(|one| one.event_id.clone()).collect();
    assert_eq!(ids.len(), 3, "three events have three ids");
}

#[tokio::test]
async fn each_change_has_its_event() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    let told = async |since: usize| {
        shop.desk().webhooks_sent().await;
        receiver.events().into_iter().skip(since).collect::<BTreeSet<_>>()
    };
    let order = shop.order(500).await;
    let late = shop.desk().pay(&order, &Pay::with(PayOutcome::Late)).unwrap().payment_id;
    assert_eq!(told(0).await, names(&["payment.failed"]));
    shop.desk().settle(&late).unwrap();
    assert_eq!(told(1).await, names(&["payment.authorized", "payment.captured", "order.paid"]));
    let part = shop.desk().refund_from_dashboard(&late, Some(200)).unwrap();
    assert_eq!(told(4).await, names(&["refund.created"]));
    shop.desk().finish_refund(&id(&part), RefundEnd::Processed).unwrap();
    assert_eq!(told(5).await, names(&["refund.processed"]));
    let rest = shop.desk().refund_from_dashboard(&late, None).unwrap();
    shop.desk().finish_refund(&id(&rest), RefundEnd::Failed).unwrap();
    assert_eq!(told(6).await, names(&["refund.created", "refund.failed"]));
    let last = receiver.received().into_iter().find(|one| one.event() == "refund.failed").unwrap().json();
    assert_eq!(last["contains"], json!(["refund", "payment"]));
    assert_eq!(last["payload"]["payment"]["entity"]["amount_refunded"], 200);
    let second = shop.desk().pay(&order, &Pay::success()).unwrap();
    assert_eq!(
        told(8).await,
        names(&["payment.authorized", "payment.captured"]),
        "the order was paid before"
    );
    assert!(second.signature.is_some());
}

#[tokio::test]
async fn the_signature_is_over_the_very_bytes() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    shop.captured(500).await;
    shop.desk().webhooks_sent().await;
    for Received { body, signature, content_type, .. } in receiver.received() {
        assert_eq!(signature, hmac(SECRET, &body));
        assert_eq!(content_type, "application/json");
        let written_anew = serde_json::to_vec(&serde_json::from_slice::<Value>(&body).unwrap()).unwrap();
        assert_ne!(
            signature,
            hmac(SECRET, &written_anew),
            "the same JSON in other bytes has another signature"
        );
    }
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_comes_again_with_the_same_id_and_bytes() {
    let receiver = Receiver::answering(&[500, 404, 302]);
    let shop = shop_telling(&receiver).await;
    let order = shop.order(500).await;
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    shop.desk().webhooks_sent().await;
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    for one in &received {
        assert_eq!((&one.event_id, &one.body), (&received[0].event_id, &received[0].body));
        assert_eq!(one.signature, received[0].signature);
    }
    let wait = |n: usize| received[n + 1].at - received[n].at;
    assert!(wait(0) >= Duration::from_millis(20) && wait(2) >= Duration::from_millis(80), "longer each time");
    let record = &shop.desk().webhooks()[0];
    assert_eq!((&record["state"], &record["event"]), (&json!("delivered"), &json!("payment.failed")));
    let statuses: Vec<_> =
        record["tries"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([500, 404, 302, 200]));
}

#[tokio::test]
async fn an_answer_after_five_seconds_is_none() {
    let receiver = Receiver::with(Manners { answers: Vec::new(), wait: Duration::from_secs(6) });
    let shop = shop_telling(&receiver).await;
    let order = shop.order(500).await;
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    let tried = async {
        while shop.desk().webhooks()[0]["tries"] == json!([]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), tried).await.unwrap();
    let record = &shop.desk().webhooks()[0];
    assert_eq!((&record["state"], &record["tries"][0]["status"]), (&json!("waiting"), &Value::Null));
}

#[tokio::test]
async fn webhooks_come_twice_and_in_disorder_when_told_to() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    let told = shop.control("/webhooks", &json!({"duplicate": 2, "shuffle": true, "delayMs": 60})).await;
    assert_eq!(told.0, 204);
    let order = shop.order(500).await;
    for _ in 0..10 {
        shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    }
    shop.desk().webhooks_sent().await;
    let came: Vec<_> = receiver.received().into_iter().map(|one| one.event_id).collect();
    assert_eq!(came.len(), 30);
    let made: Vec<_> =
        shop.desk().webhooks().iter().map(|one| one["eventId"].as_str().unwrap().to_owned()).collect();
    for id in &made {
        assert_eq!(came.iter().filter(|one| *one == id).count(), 3, "each three times");
    }
    let in_order: Vec<_> = made.iter().flat_map(|id| [id.clone(), id.clone(), id.clone()]).collect();
    assert_ne!(came, in_order);
}

#[tokio::test]
async fn webhooks_come_late_when_told_to() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    shop.desk().behave(WebhookBehaviour { delay: Duration::from_millis(200), ..WebhookBehaviour::default() });
    let begun = std::time::Instant::now();
    shop.captured(500).await;
    shop.desk().webhooks_sent().await;
    assert!(receiver.received().iter().all(|one| one.at - begun >= Duration::from_millis(200)));
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn lost_webhooks_are_on_record_and_can_be_replayed() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    shop.control("/webhooks", &json!({"drop": true})).await;
    let order = shop.order(500).await;
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    shop.control("/webhooks", &json!({})).await;
    shop.desk().pay(&order, &Pay::success().without_webhooks()).unwrap();
    shop.desk().webhooks_sent().await;
    assert!(receiver.received().is_empty());

    let shown = shop.bench.request(Method::GET, "/control/webhooks").send().await.unwrap();
    let shown: Vec<Value> = shown.json().await.unwrap();
    assert!(shown.len() == 4 && shown.iter().all(|one| one["state"] == "dropped"), "{shown:?}");
    let lost = &shown[0];
    let replayed = shop.control("/webhooks/replay", &json!({"eventId": lost["eventId"]})).await;
    assert_eq!(replayed.0, 202);
    shop.desk().webhooks_sent().await;
    let came = receiver.received();
    assert_eq!((came.len(), &json!(came[0].event_id)), (1, &lost["eventId"]));
    assert_eq!(json!(String::from_utf8(came[0].body.clone()).unwrap()), lost["body"]);
    assert_eq!(shop.desk().webhooks()[0]["state"], "delivered");
    assert_eq!(shop.control("/webhooks/replay", &json!({"eventId": "unknown"})).await.0, 404);
}

#[tokio::test]
async fn an_older_event_keeps_the_secret_it_was_made_with() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    let order = shop.order(500).await;
    let former = Some(SecretString::from("the-former-secret"));
    shop.desk().behave(WebhookBehaviour { secret: former, drop: true, ..WebhookBehaviour::default() });
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    shop.desk().behave(WebhookBehaviour::default());
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    let event_id = shop.desk().webhooks()[0]["eventId"].as_str().unwrap().to_owned();
    shop.desk().replay(&event_id).unwrap();
    shop.desk().webhooks_sent().await;
    for one in receiver.received() {
        let secret = if one.event_id == event_id { "the-former-secret" } else { SECRET };
        assert_eq!(one.signature, hmac(secret, &one.body));
    }
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_thousand_webhooks_all_arrive() {
    let receiver = Receiver::open();
    let shop = shop_telling(&receiver).await;
    let order = shop.order(500).await;
    for _ in 0..1_000 {
        shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    }
    shop.desk().webhooks_sent().await;
    let ids: BTreeSet<_> = receiver.received().into_iter().map(|one| one.event_id).collect();
    assert_eq!(ids.len(), 1_000);
}

#[tokio::test]
async fn nothing_is_sent_without_an_address_and_never_to_another_machine() {
    let shop = Shop::open().await;
    shop.captured(500).await;
    shop.desk().webhooks_sent().await;
    assert!(shop.desk().webhooks().iter().all(|one| one["state"] == "dropped" && one["tries"] == json!([])));
    for url in ["http://example.in/", "https://127.0.0.1/", "http://192.168.0.1/", "http://localhost/"] {
        assert!(shop.desk().webhooks_to(url).is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::open();
    let url = elsewhere.url.clone();
    let redirecting = actix_web::HttpServer::new(move || {
        let url = url.clone();
        actix_web::App::new().default_service(actix_web::web::to(move || {
            let answer = actix_web::HttpResponse::TemporaryRedirect()
                .insert_header(("location", url.clone()))
                .finish();
            async { answer }
        }))
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let from = format!("http://{}/", redirecting.addrs()[0]);
    let running = redirecting.run();
    let handle = running.handle();
    tokio::spawn(running);
    let shop = Shop::open().await;
    shop.desk().webhooks_to(&from).unwrap();
    let order = shop.order(500).await;
    shop.desk().pay(&order, &Pay::with(PayOutcome::Failure)).unwrap();
    let tried = async {
        while shop.desk().webhooks()[0]["tries"].as_array().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), tried).await.unwrap();
    assert!(elsewhere.received().is_empty());
    let direct = Client::builder().build().unwrap().get(&from).header("x-razorpay-event-id", "1");
    let direct = direct.header("x-razorpay-signature", "1").header("content-type", "x").send().await.unwrap();
    assert_eq!(direct.status(), StatusCode::OK, "a client that follows gets there");
    handle.stop(false).await;
}
