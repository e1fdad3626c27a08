//! What production refuses: secrets that are public, and protections that are switched off.

use secrecy::ExposeSecret;

use super::{Config, Profile, RazorpayConfig};

/// The account and the sender that only the sandbox knows, as in `defaults.toml`.
const SANDBOX_ACCOUNT: &str = "AC00000000000000000000000000000000";
const SANDBOX_SENDER: &str = "+15005550006";

/// What is wrong, each with the variable that mends it. Outside production only half-set keys are wrong.
pub(super) fn faults(config: &Config) -> Vec<String> {
    let mut faults = Vec::new();
    let is_production = config.profile == Profile::Production;
    if is_production || !config.auth.uses_development_keys() {
        let unset = config.auth.keys().into_iter().filter(|(_, is_set)| !is_set);
        faults.extend(unset.map(|(variable, _)| {
            format!("{variable} is not set; the five keys of DGT__AUTH__ are set together, see .env.example")
        }));
    }
    if is_production {
        faults.extend(unprotected(config).into_iter().map(ToOwned::to_owned));
    }
    faults
}

fn unprotected(config: &Config) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if config.twilio.auth_token.expose_secret().starts_with("sandbox-") {
        faults.push("DGT__TWILIO__AUTH_TOKEN is the sandbox's; set your account's");
    }
    if config.twilio.account_sid == SANDBOX_ACCOUNT {
        faults.push("DGT__TWILIO__ACCOUNT_SID is the sandbox's; set your account's");
    }
    if config.twilio.messaging_service_sid.is_none() && config.twilio.from.as_deref() == Some(SANDBOX_SENDER)
    {
        faults.push(
            "DGT__TWILIO__FROM is the sandbox's; set it or DGT__TWILIO__MESSAGING_SERVICE_SID to your sender",
        );
    }
    if config.twilio.base_url.scheme() != "https" {
        faults.push("DGT__TWILIO__BASE_URL must be https");
    }
    faults.extend(standby(config));
    faults.extend(payments(&config.razorpay));
    if config.notify.api_url.scheme() != "https" || config.notify.web_url.scheme() != "https" {
        faults.push("DGT__NOTIFY__API_URL and DGT__NOTIFY__WEB_URL must be https");
    }
    if [&config.fcm.base_url, &config.fcm.token_url].into_iter().flatten().any(|url| url.scheme() != "https")
    {
        faults.push("DGT__FCM__BASE_URL and DGT__FCM__TOKEN_URL must be https, or unset");
    }
    if !config.rate_limit.enabled {
        faults.push("DGT__RATE_LIMIT__ENABLED must not be false");
    }
    if !config.auth.issuer.starts_with("https://") || config.auth.issuer.ends_with(".local") {
        faults.push("DGT__AUTH__ISSUER must be the https URL of this marketplace");
    }
    if config.smtp.url.expose_secret().contains("127.0.0.1:4025") {
        faults.push("DGT__SMTP__URL is the sandbox's; set your mail server's");
    }
    if config.smtp.from.trim_end_matches('>').ends_with(".local") {
        faults.push("DGT__SMTP__FROM must be an address of this marketplace");
    }
    faults
}

/// Whoever stands in for another is held to the same.
fn standby(config: &Config) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if let Some(account) = &config.twilio_standby {
        if account.base_url.scheme() != "https" {
            faults.push("DGT__TWILIO_STANDBY__BASE_URL must be https");
        }
        if account.auth_token.expose_secret().is_empty()
            || account.auth_token.expose_secret().starts_with("sandbox-")
        {
            faults.push("DGT__TWILIO_STANDBY__AUTH_TOKEN is the sandbox's or empty; set your account's");
        }
    }
    if let Some(server) = &config.smtp_standby {
        if server.url.expose_secret().contains("127.0.0.1:4025") {
            faults.push("DGT__SMTP_STANDBY__URL is the sandbox's; set your mail server's");
        }
        if server.from.trim_end_matches('>').ends_with(".local") {
            faults.push("DGT__SMTP_STANDBY__FROM must be an address of this marketplace");
        }
    }
    faults
}

/// A payment that the sandbox or a test key made is worth nothing: with either, anybody would be credited for free.
fn payments(razorpay: &RazorpayConfig) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if !razorpay.key_id.starts_with("rzp_live_") {
        faults.push("DGT__RAZORPAY__KEY_ID must be a live key of your account, rzp_live_…");
    }
    let key_secret = razorpay.key_secret.expose_secret();
    if key_secret.starts_with("sandbox-") || key_secret.is_empty() {
        faults.push("DGT__RAZORPAY__KEY_SECRET is the sandbox's or empty; set your account's");
    }
    let webhook_secret = razorpay.webhook_secret.expose_secret();
    if webhook_secret.starts_with("sandbox-") || webhook_secret.is_empty() || webhook_secret == key_secret {
        faults.push("DGT__RAZORPAY__WEBHOOK_SECRET must be the one set with the webhook, not the sandbox's or the key's");
    }
    let previous = razorpay.previous_webhook_secret.as_ref();
    if previous.is_some_and(|secret| secret.expose_secret().starts_with("sandbox-")) {
        faults.push("DGT__RAZORPAY__PREVIOUS_WEBHOOK_SECRET is the sandbox's; leave it out");
    }
    if razorpay.base_url.scheme() != "https" {
        faults.push("DGT__RAZORPAY__BASE_URL must be https");
    }
    faults
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::config::load::defaults;

    #[test]
    fn development_starts_with_its_defaults() {
        assert!(faults(&defaults().unwrap()).is_empty());
    }

    #[test]
    fn production_names_everything_that_is_unsafe_at_once() {
        let config = Config { profile: Profile::Production, ..defaults().unwrap() };
        let faults = faults(&config).join("\n");
        for variable in [
            "AUTH__OTP_PEPPER",
            "AUTH__REFRESH_KEY",
            "AUTH__CURSOR_KEY",
            "AUTH__SIGNING_KEY_PEM",
            "AUTH__SEALING_KEYS",
            "TWILIO__ACCOUNT_SID",
            "TWILIO__AUTH_TOKEN",
            "TWILIO__FROM",
            "TWILIO__BASE_URL",
            "RAZORPAY__BASE_URL",
            "RAZORPAY__KEY_ID",
            "RAZORPAY__KEY_SECRET",
            "RAZORPAY__WEBHOOK_SECRET",
            "AUTH__ISSUER",
            "SMTP__URL",
            "SMTP__FROM",
        ] {
            assert!(faults.contains(variable), "{variable} in {faults}");
        }
    }

    #[test]
    fn production_takes_live_keys_and_secrets_of_its_own_alone() {
        let told = |key_id: &str, key_secret: &str, webhook_secret: &str| {
            payments(&RazorpayConfig {
                base_url: "https://api.razorpay.com".parse().unwrap(),
                key_id: key_id.to_owned(),
                key_secret: SecretString::from(key_secret),
                webhook_secret: SecretString::from(webhook_secret),
                previous_webhook_secret: None,
            })
            .join("\n")
        };
        assert_eq!(told("rzp_live_1234567890abcd", "key", "hook"), "");
        assert!(told("rzp_test_1234567890abcd", "key", "hook").contains("KEY_ID"));
        assert!(told("rzp_live_1234567890abcd", "", "hook").contains("KEY_SECRET"));
        for webhook_secret in ["", "key", "sandbox-webhook-secret"] {
            assert!(told("rzp_live_1234567890abcd", "key", webhook_secret).contains("WEBHOOK_SECRET"));
        }
    }

    #[test]
    fn keys_are_set_together_or_not_at_all() {
        let mut config = defaults().unwrap();
        config.auth.otp_pepper = SecretString::from("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        assert_eq!(faults(&config).len(), 4);
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let shown = format!("{:?}", defaults().unwrap());
        assert!(!shown.contains("sandbox-auth-token"), "{shown}");
    }
}
