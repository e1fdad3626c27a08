//! What the sandbox's Razorpay has on record, read through its API as an accountant would.

use anyhow::Context;
use secrecy::SecretString;
use serde::Deserialize;

use crate::client::Client;

/// The sandbox's account; the gateway is given the same.
pub(super) const KEY_ID: &str = "rzp_test_BankTest000001";
pub(super) const KEY_SECRET: &str = "bank-test-key-secret";
pub(super) const WEBHOOK_SECRET: &str = "bank-test-webhook-secret";

/// An order, a payment or a refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) status: String,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Entry>,
}

/// A webhook on record.
#[derive(Deserialize)]
struct Sent {
    state: String,
}

/// Razorpay's own books.
#[derive(Debug, Clone)]
pub(super) struct RazorpayBooks(Client);

impl RazorpayBooks {
    /// The books of the sandbox behind this client.
    pub(super) fn new(sandbox: Client) -> Self {
        Self(sandbox)
    }

    /// The orders under a receipt.
    pub(super) async fn orders(&self, receipt: &str) -> anyhow::Result<Vec<Entry>> {
        self.list("/v1/orders", &[("receipt", receipt)]).await
    }

    /// The payments of an order.
    pub(super) async fn payments(&self, order: &str) -> anyhow::Result<Vec<Entry>> {
        self.list(&format!("/v1/orders/{order}/payments"), &[]).await
    }

    /// The refunds of a payment.
    pub(super) async fn refunds(&self, payment: &str) -> anyhow::Result<Vec<Entry>> {
        self.list(&format!("/v1/payments/{payment}/refunds"), &[("count", "100")]).await
    }

    /// Whether every webhook has arrived.
    pub(super) async fn is_silent(&self) -> anyhow::Result<bool> {
        let sent: Vec<Sent> = self.0.get("/control/webhooks").send().await?;
        Ok(sent.iter().all(|webhook| !webhook.state.eq_ignore_ascii_case("waiting")))
    }

    async fn list(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Entry>> {
        let call = self.0.get(path).query(query).basic(KEY_ID, &SecretString::from(KEY_SECRET));
        let list: List = call.send().await.context("Razorpay's books cannot be read")?;
        Ok(list.items)
    }
}
