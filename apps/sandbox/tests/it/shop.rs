//! A shop with a Razorpay account of the test's own.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use sandbox::{Pay, RazorpayConfig, RazorpayDesk, SandboxConfig};
use serde_json::{Value, json};

use crate::bench::Bench;

pub(crate) const KEY_ID: &str = "rzp_test_SandboxKey0001";
pub(crate) const KEY_SECRET: &str = "sandbox-key-secret";

pub(crate) struct Shop {
    pub(crate) bench: Bench,
}

impl Shop {
    /// A shop whose refunds stay pending until told otherwise.
    pub(crate) async fn open() -> Self {
        Self::with(|razorpay| razorpay.refund_delay = Duration::from_secs(3_600)).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut RazorpayConfig)) -> Self {
        let mut config = SandboxConfig::on_free_ports();
        config.razorpay.webhook_retry = Duration::from_millis(20);
        change(&mut config.razorpay);
        Self { bench: Bench::with(config).await }
    }

    pub(crate) fn desk(&self) -> RazorpayDesk {
        self.bench.running.razorpay()
    }

    /// Razorpay's API with the account's key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bench.request(method, &format!("/v1{path}")).basic_auth(KEY_ID, Some(KEY_SECRET))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(Method::POST, path).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// What must be there.
    pub(crate) async fn fetch(&self, path: &str) -> Value {
        let (status, value) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    pub(crate) async fn control(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.bench.request(Method::POST, &format!("/control{path}"));
        read(request.json(body).send().await.unwrap()).await
    }

    /// Makes an order of so many paise and gives its id.
    pub(crate) async fn order(&self, amount: i64) -> String {
        let (status, order) = self.post("/orders", &json!({"amount": amount, "currency": "INR"})).await;
        assert_eq!(status, 200, "{order}");
        id(&order)
    }

    /// A captured payment of so many paise.
    pub(crate) async fn captured(&self, amount: i64) -> String {
        let order = self.order(amount).await;
        self.desk().pay(&order, &Pay::success()).unwrap().payment_id
    }
}

pub(crate) fn id(entity: &Value) -> String {
    entity["id"].as_str().unwrap().to_owned()
}

/// The status and the JSON, null if there is none.
pub(crate) async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// Checks that an answer is Razorpay's refusal with this description.
#[track_caller]
pub(crate) fn refused((status, body): &(u16, Value), description: &str) {
    assert_eq!(*status, 400, "{body}");
    let error = &body["error"];
    assert_eq!((&error["code"], &error["description"]), (&json!("BAD_REQUEST_ERROR"), &json!(description)));
    for field in ["source", "step", "reason"] {
        assert!(error[field].is_string(), "{field} in {body}");
    }
    assert!(error["metadata"].is_object(), "{body}");
}
