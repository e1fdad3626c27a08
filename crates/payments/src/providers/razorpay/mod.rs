//! Razorpay's payment gateway: JSON over HTTPS with HTTP Basic (razorpay.com/docs/api).

mod client;
mod error;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Currency, Money};
use outbound::Guard;
use outbound::http::{self, Timeouts};
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

use super::{
    NewProviderOrder, NewProviderRefund, PaymentProvider, ProviderError, ProviderOrder, ProviderPayment,
    ProviderRefund,
};
use client::{Call, Client};

/// Entities per page of a list, the most there may be.
const PAGE: usize = 100;

/// Pages that are read of a list: a payment of the largest order has fewer refunds than that many rupees.
const PAGES: usize = 20;

/// How to reach Razorpay.
#[derive(Debug, Clone)]
pub struct RazorpayConfig {
    /// `https://api.razorpay.com`, or the sandbox.
    pub base_url: Url,
    /// The public half of the API key: `rzp_live_…` or `rzp_test_…`.
    pub key_id: String,
    /// The secret half.
    pub key_secret: SecretString,
    /// How long a call may take.
    pub timeouts: Timeouts,
}

/// The client cannot be built from what it was configured with.
#[derive(Debug, Error)]
pub enum RazorpayConfigError {
    /// The secret would cross a network in the clear.
    #[error("razorpay.base_url must begin with https://")]
    NotPrivate,
    /// The TLS stack could not be set up.
    #[error("the HTTP client could not be set up")]
    Http(#[source] reqwest::Error),
}

/// Moves money through Razorpay, behind a guard: no call without a deadline, none while it fails, and only those again
/// that cannot act twice. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Razorpay(Arc<Client>);

impl Razorpay {
    /// A client; it connects when it first calls.
    ///
    /// # Errors
    /// When the base URL is not HTTPS (or HTTP on this machine), or TLS cannot be set up.
    pub fn new(config: RazorpayConfig, guard: Guard) -> Result<Self, RazorpayConfigError> {
        let RazorpayConfig { base_url, key_id, key_secret, timeouts } = config;
        if !http::is_private(&base_url) {
            return Err(RazorpayConfigError::NotPrivate);
        }
        let http = http::client(timeouts).map_err(RazorpayConfigError::Http)?;
        Ok(Self(Arc::new(Client { http, base_url, key_id, key_secret, guard })))
    }

    /// All entities of a list, page by page.
    async fn list<W, T>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Vec<T>, ProviderError>
    where
        W: serde::de::DeserializeOwned + Into<Option<T>> + Send,
    {
        let mut all = Vec::new();
        for page in 0..PAGES {
            let (count, skip) = (PAGE.to_string(), (page * PAGE).to_string());
            let query: Vec<_> = query.iter().copied().chain([("count", &*count), ("skip", &*skip)]).collect();
            let wire: wire::Collection<W> = self.0.call(&Call::get(path).query(&query)).await?;
            let length = wire.items.len();
            for item in wire.items {
                // A part of a list would be taken for the whole.
                all.push(item.into().ok_or(ProviderError::Unknown)?);
            }
            if length < PAGE {
                return Ok(all);
            }
        }
        Err(ProviderError::Unknown)
    }

    async fn one<W, T>(&self, call: &Call<'_>) -> Result<T, ProviderError>
    where
        W: serde::de::DeserializeOwned + Into<Option<T>> + Send,
    {
        self.0.call::<W>(call).await?.into().ok_or(ProviderError::Unknown)
    }
}

#[async_trait]
impl PaymentProvider for Razorpay {
    async fn create_order(&self, new: &NewProviderOrder) -> Result<ProviderOrder, ProviderError> {
        let body = wire::order_body(new);
        self.one::<wire::Order, _>(&Call::post(&["v1", "orders"], &body)).await
    }

    async fn find_order_by_receipt(&self, receipt: &str) -> Result<Option<ProviderOrder>, ProviderError> {
        let found =
            self.list::<wire::Order, ProviderOrder>(&["v1", "orders"], &[("receipt", receipt)]).await?;
        Ok(found.into_iter().find(|order| order.receipt.as_deref() == Some(receipt)))
    }

    async fn order(&self, id: &str) -> Result<ProviderOrder, ProviderError> {
        self.one::<wire::Order, _>(&Call::get(&["v1", "orders", id])).await
    }

    async fn payments_of_order(&self, id: &str) -> Result<Vec<ProviderPayment>, ProviderError> {
        self.list::<wire::Payment, _>(&["v1", "orders", id, "payments"], &[]).await
    }

    async fn payment(&self, id: &str) -> Result<ProviderPayment, ProviderError> {
        self.one::<wire::Payment, _>(&Call::get(&["v1", "payments", id])).await
    }

    async fn capture(&self, id: &str, amount: Money) -> Result<ProviderPayment, ProviderError> {
        let body = wire::capture_body(amount.amount(), Currency::Inr.code());
        self.one::<wire::Payment, _>(&Call::post(&["v1", "payments", id, "capture"], &body)).await
    }

    async fn refund(&self, payment: &str, new: &NewProviderRefund) -> Result<ProviderRefund, ProviderError> {
        let (path, body) = (["v1", "payments", payment, "refund"], wire::refund_body(new));
        self.one::<wire::Refund, _>(&Call::post(&path, &body).repeatable(&new.idem_key)).await
    }

    async fn refund_by_id(&self, id: &str) -> Result<ProviderRefund, ProviderError> {
        self.one::<wire::Refund, _>(&Call::get(&["v1", "refunds", id])).await
    }

    async fn refunds_of_payment(&self, payment: &str) -> Result<Vec<ProviderRefund>, ProviderError> {
        self.list::<wire::Refund, _>(&["v1", "payments", payment, "refunds"], &[]).await
    }
}
