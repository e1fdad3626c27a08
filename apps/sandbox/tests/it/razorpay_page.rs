//! The page to pay on.

use reqwest::Method;
use serde_json::json;

use crate::shop::{Shop, id};

async fn press(shop: &Shop, order: &str, outcome: &str) -> (u16, String) {
    let request = shop.bench.request(Method::POST, &format!("/pay/{order}"));
    let answer = request.form(&[("outcome", outcome), ("method", "card")]).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn look(shop: &Shop, order: &str) -> (u16, String) {
    let answer = shop.bench.request(Method::GET, &format!("/pay/{order}")).send().await.unwrap();
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn an_order_is_paid_by_a_button() {
    let shop = Shop::open().await;
    let order = shop.order(123_405).await;
    let (status, page) = look(&shop, &order).await;
    assert!(status == 200 && page.contains("₹1234.05") && page.contains("value=\"late\""), "{page}");
    let (status, page) = press(&shop, &order, "success").await;
    assert!(status == 200 && page.contains("razorpay_signature"), "{page}");
    let payments = shop.fetch(&format!("/orders/{order}/payments")).await;
    assert_eq!(
        json!([payments["items"][0]["status"], payments["items"][0]["method"]]),
        json!(["captured", "card"])
    );
    assert!(!look(&shop, &order).await.1.contains("<button"), "nothing to press any more");
    assert_eq!(press(&shop, &order, "success").await.0, 409);
    assert_eq!(shop.desk().payments().len(), 1);
}

#[tokio::test]
async fn a_failure_is_told_and_the_order_can_be_paid_again() {
    let shop = Shop::open().await;
    let order = shop.order(500).await;
    let (status, page) = press(&shop, &order, "failure").await;
    assert!(status == 200 && page.contains("payment_cancelled"), "{page}");
    assert!(press(&shop, &order, "late").await.1.contains("payment_timed_out"));
    assert_eq!(press(&shop, &order, "success").await.0, 200);
    assert_eq!(press(&shop, &order, "nothing").await.0, 400);
}

#[tokio::test]
async fn what_was_sent_never_becomes_markup() {
    let shop = Shop::open().await;
    let asked = json!({"amount": 500, "currency": "INR", "receipt": "<script>alert('x')</script>"});
    let order = id(&shop.post("/orders", &asked).await.1);
    let (_, page) = look(&shop, &order).await;
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)") && !page.contains("<script"), "{page}");
    let (status, page) = look(&shop, "%3Cscript%3E").await;
    assert!(status == 404 && page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
}
