//! What the sandbox can be told at start: flags, or the environment variable that goes by the same name.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::ensure;
use secrecy::SecretString;
use url::{Host, Url};

use crate::razorpay::RazorpayConfig;

const HTTP_BIND: SocketAddr = loopback(4010);
const SMTP_BIND: SocketAddr = loopback(4025);
const SMTP_TIMEOUT: &str = "300";
const TWILIO_ACCOUNT_SID: &str = "AC00000000000000000000000000000000";
const TWILIO_AUTH_TOKEN: &str = "sandbox-auth-token";
const TWILIO_SENDER: &str = "+15005550006";
const FCM_TOKEN_LIFE: u32 = 3_599;

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// Whether an address is one that the sandbox posts to: `http` to this machine, by number. A name is none: what it means
/// is for a name server to say.
pub(crate) fn is_on_this_machine(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "http" && is_loopback
}

/// Where the sandbox listens and what it takes for valid credentials.
#[derive(Debug, Clone, clap::Args)]
pub struct SandboxConfig {
    /// Address of the HTTP side: providers' APIs, inbox, faults. Port 0 takes any free one.
    #[arg(long, env = "DGT__SANDBOX__BIND", value_name = "ADDR", default_value_t = HTTP_BIND)]
    pub bind: SocketAddr,

    /// Address of the SMTP server. Port 0 takes any free one.
    #[arg(long, env = "DGT__SANDBOX__SMTP_BIND", value_name = "ADDR", default_value_t = SMTP_BIND)]
    pub smtp_bind: SocketAddr,

    /// How long the SMTP server waits for the next line before it hangs up, in seconds
    /// (RFC 5321 §4.5.3.2.7 asks for at least 300).
    #[arg(
        long,
        env = "DGT__SANDBOX__SMTP_TIMEOUT",
        value_name = "SECONDS",
        default_value = SMTP_TIMEOUT,
        value_parser = parse_seconds
    )]
    pub smtp_timeout: Duration,

    /// The only Twilio account there is: AC and 32 hexadecimal digits.
    #[arg(
        long,
        env = "DGT__SANDBOX__TWILIO_ACCOUNT_SID",
        value_name = "SID",
        default_value = TWILIO_ACCOUNT_SID,
        value_parser = parse_account_sid
    )]
    pub twilio_account_sid: String,

    /// The auth token of that account.
    #[arg(
        long,
        env = "DGT__SANDBOX__TWILIO_AUTH_TOKEN",
        value_name = "TOKEN",
        default_value = TWILIO_AUTH_TOKEN,
        hide_env_values = true
    )]
    pub twilio_auth_token: SecretString,

    /// The phone numbers and short codes that the account owns and may send from, separated by commas. Alphanumeric
    /// sender ids need no owning.
    #[arg(
        long,
        env = "DGT__SANDBOX__TWILIO_SENDERS",
        value_name = "NUMBERS",
        value_delimiter = ',',
        default_value = TWILIO_SENDER
    )]
    pub twilio_senders: Vec<String>,

    /// How long an access token of Google's holds, in seconds.
    #[arg(long, env = "DGT__SANDBOX__FCM_TOKEN_LIFE", value_name = "SECONDS", default_value_t = FCM_TOKEN_LIFE)]
    pub fcm_token_life: u32,

    /// The Razorpay account.
    #[command(flatten)]
    pub razorpay: RazorpayConfig,
}

impl SandboxConfig {
    /// The defaults on two free ports of the loopback interface, so that tests run side by side. Webhooks go nowhere
    /// until told where to.
    pub fn on_free_ports() -> Self {
        let razorpay = RazorpayConfig { webhook_url: None, ..RazorpayConfig::default() };
        Self { bind: loopback(0), smtp_bind: loopback(0), razorpay, ..Self::default() }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: HTTP_BIND,
            smtp_bind: SMTP_BIND,
            smtp_timeout: parse_seconds(SMTP_TIMEOUT).unwrap_or_default(),
            twilio_account_sid: TWILIO_ACCOUNT_SID.to_owned(),
            twilio_auth_token: SecretString::from(TWILIO_AUTH_TOKEN),
            twilio_senders: vec![TWILIO_SENDER.to_owned()],
            fcm_token_life: FCM_TOKEN_LIFE,
            razorpay: RazorpayConfig::default(),
        }
    }
}

fn parse_seconds(text: &str) -> anyhow::Result<Duration> {
    let wait = Duration::try_from_secs_f64(text.parse()?)?;
    ensure!(!wait.is_zero(), "must be more than 0 seconds");
    Ok(wait)
}

fn parse_account_sid(text: &str) -> anyhow::Result<String> {
    let hexadecimal = |digits: &str| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    ensure!(text.strip_prefix("AC").is_some_and(hexadecimal), "must be AC and 32 hexadecimal digits");
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: SandboxConfig,
    }

    #[test]
    fn the_command_line_and_the_library_have_the_same_defaults() {
        let parsed = Cli::try_parse_from(["sandbox"]).unwrap().config;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", SandboxConfig::default()));
        assert_eq!(parsed.smtp_timeout, Duration::from_secs(300));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for args in [
            ["sandbox", "--bind", "here"],
            ["sandbox", "--smtp-timeout", "0"],
            ["sandbox", "--smtp-timeout", "-1"],
            ["sandbox", "--twilio-account-sid", "AC12"],
            ["sandbox", "--razorpay-key-id", "rzp_live_SandboxKey0001"],
            ["sandbox", "--razorpay-webhook-url", "http://example.in/hook"],
            ["sandbox", "--razorpay-refund-delay-ms", "-1"],
        ] {
            assert!(Cli::try_parse_from(args).is_err(), "{args:?}");
        }
    }
}
