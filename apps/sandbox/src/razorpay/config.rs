//! What the sandbox's Razorpay account is: its keys, its webhook and its pace.

use std::time::Duration;

use anyhow::ensure;
use secrecy::SecretString;
use url::Url;

use crate::config::is_on_this_machine;

const KEY_ID: &str = "rzp_test_SandboxKey0001";
const KEY_SECRET: &str = "sandbox-key-secret";
const WEBHOOK_URL: &str = "http://127.0.0.1:4000/api/payments/webhook";
const WEBHOOK_SECRET: &str = "sandbox-webhook-secret";
const WEBHOOK_RETRY_MS: &str = "1000";
const REFUND_DELAY_MS: &str = "2000";

/// The only Razorpay account there is.
#[derive(Debug, Clone, clap::Args)]
pub struct RazorpayConfig {
    /// Its key id: rzp_test_ and 14 letters and digits.
    #[arg(
        id = "razorpay_key_id",
        long = "razorpay-key-id",
        env = "DGT__SANDBOX__RAZORPAY_KEY_ID",
        value_name = "ID",
        default_value = KEY_ID,
        value_parser = parse_key_id
    )]
    pub key_id: String,

    /// The secret of that key; it signs checkouts too.
    #[arg(
        id = "razorpay_key_secret",
        long = "razorpay-key-secret",
        env = "DGT__SANDBOX__RAZORPAY_KEY_SECRET",
        value_name = "SECRET",
        default_value = KEY_SECRET,
        hide_env_values = true
    )]
    pub key_secret: SecretString,

    /// Where webhooks are sent: an http address of the loopback interface, by number.
    #[arg(
        id = "razorpay_webhook_url",
        long = "razorpay-webhook-url",
        env = "DGT__SANDBOX__RAZORPAY_WEBHOOK_URL",
        value_name = "URL",
        default_value = WEBHOOK_URL,
        value_parser = parse_webhook_url
    )]
    pub webhook_url: Option<Url>,

    /// What webhooks are signed with.
    #[arg(
        id = "razorpay_webhook_secret",
        long = "razorpay-webhook-secret",
        env = "DGT__SANDBOX__RAZORPAY_WEBHOOK_SECRET",
        value_name = "SECRET",
        default_value = WEBHOOK_SECRET,
        hide_env_values = true
    )]
    pub webhook_secret: SecretString,

    /// How long after its first try a webhook is tried again, in milliseconds; each further wait is twice as long.
    #[arg(
        id = "razorpay_webhook_retry",
        long = "razorpay-webhook-retry-ms",
        env = "DGT__SANDBOX__RAZORPAY_WEBHOOK_RETRY_MS",
        value_name = "MILLISECONDS",
        default_value = WEBHOOK_RETRY_MS,
        value_parser = parse_millis
    )]
    pub webhook_retry: Duration,

    /// How long a refund at normal speed is pending, in milliseconds; 0 processes it at once.
    #[arg(
        id = "razorpay_refund_delay",
        long = "razorpay-refund-delay-ms",
        env = "DGT__SANDBOX__RAZORPAY_REFUND_DELAY_MS",
        value_name = "MILLISECONDS",
        default_value = REFUND_DELAY_MS,
        value_parser = parse_millis
    )]
    pub refund_delay: Duration,

    /// Refuses a second order with the same receipt, as accounts do for which Razorpay has switched this on.
    #[arg(
        id = "razorpay_unique_receipts",
        long = "razorpay-unique-receipts",
        env = "DGT__SANDBOX__RAZORPAY_UNIQUE_RECEIPTS"
    )]
    pub unique_receipts: bool,
}

impl Default for RazorpayConfig {
    fn default() -> Self {
        Self {
            key_id: KEY_ID.to_owned(),
            key_secret: SecretString::from(KEY_SECRET),
            webhook_url: parse_webhook_url(WEBHOOK_URL).ok(),
            webhook_secret: SecretString::from(WEBHOOK_SECRET),
            webhook_retry: parse_millis(WEBHOOK_RETRY_MS).unwrap_or_default(),
            refund_delay: parse_millis(REFUND_DELAY_MS).unwrap_or_default(),
            unique_receipts: false,
        }
    }
}

fn parse_key_id(text: &str) -> anyhow::Result<String> {
    let proper = |rest: &str| rest.len() == 14 && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    ensure!(
        text.strip_prefix("rzp_test_").is_some_and(proper),
        "must be rzp_test_ and 14 letters and digits"
    );
    Ok(text.to_owned())
}

fn parse_millis(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(text.parse()?))
}

/// Reads an address that webhooks may be sent to.
///
/// # Errors
/// When it is not `http` to a loopback address.
pub(super) fn parse_webhook_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text)?;
    ensure!(
        is_on_this_machine(&url),
        "must be an http address of the loopback interface, such as {WEBHOOK_URL}"
    );
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_go_to_this_machine_alone() {
        for url in [WEBHOOK_URL, "http://127.1.2.3/x", "http://[::1]:4000/"] {
            assert!(parse_webhook_url(url).is_ok(), "{url}");
        }
        for url in [
            "https://127.0.0.1/x",
            "http://localhost:4000/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://example.in/hook",
            "http://127.0.0.1.example.in/",
            "file:///etc/hosts",
            "4000",
        ] {
            assert!(parse_webhook_url(url).is_err(), "{url}");
        }
    }
}
