//! Mail by SMTP submission: port 465 with TLS from the start, or 587 with STARTTLS (RFC 8314, RFC 6409).

mod compose;
mod failure;

use std::time::Duration;

use async_trait::async_trait;
use kernel::Ambient;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use outbound::http::is_loopback;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{ConfigError, MailMessage, MailReceipt, MailSender, SendError};

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// `smtps://user:password@host` (port 465) for TLS from the start, `smtp://user:password@host?tls=required`
    /// (port 587) for STARTTLS, without which nothing is sent then, or `smtp://127.0.0.1:4025` in the clear. User and
    /// password are percent-encoded; a path names this machine in EHLO.
    pub url: SecretString,
    /// Who the mail comes from: `DGT Marketplace <no-reply@example.in>`.
    pub from: String,
    /// How long the server may take for one step.
    pub step_timeout: Duration,
    /// How long a mail may take in all.
    pub total_timeout: Duration,
    /// How many idle connections are kept.
    pub pool_size: u32,
}

impl SmtpConfig {
    /// A configuration with the usual limits: 5 seconds a step, 15 in all, 4 idle connections.
    pub fn new(url: SecretString, from: impl Into<String>) -> Self {
        Self {
            url,
            from: from.into(),
            step_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(15),
            pool_size: 4,
        }
    }
}

/// Sends mail to one server, over connections that it keeps.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    total_timeout: Duration,
    ambient: Ambient,
}

impl Smtp {
    /// A client; it connects when it first sends. Call it inside a tokio runtime, in which its idle connections are
    /// looked after.
    ///
    /// # Errors
    /// When the URL or the sender cannot be read, or credentials would be sent in the clear.
    pub fn new(config: SmtpConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let SmtpConfig { url, from, step_timeout, total_timeout, pool_size } = config;
        let from: Mailbox = from.parse().ok().ok_or_else(|| {
            ConfigError::invalid(
                "smtp.from",
                "must be an address such as DGT Marketplace <no-reply@example.in>",
            )
        })?;
        check_url(url.expose_secret())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(ConfigError::Smtp)?
            .timeout(Some(step_timeout))
            .pool_config(PoolConfig::new().max_size(pool_size))
            .build();
        Ok(Self { transport, from, total_timeout, ambient })
    }
}

#[async_trait]
impl MailSender for Smtp {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        let (message_id, mail) = compose::mail(&self.from, message, self.ambient.now())?;
        let sent = tokio::time::timeout(self.total_timeout, self.transport.send(mail)).await;
        let error = match sent {
            Ok(Ok(_)) => return Ok(MailReceipt { message_id }),
            Ok(Err(error)) => failure::read(&error),
            Err(_) => SendError::Unknown,
        };
        if let SendError::Misconfigured { .. } = error {
            tracing::error!(%error, "the mail server does not take our mail: check its URL, credentials and sender");
        }
        Err(error)
    }
}

/// Refuses what lettre would misread, and a password that others could read.
fn check_url(text: &str) -> Result<(), ConfigError> {
    let invalid = |problem| ConfigError::invalid("smtp.url", problem);
    let url =
        Url::parse(text).ok().ok_or_else(|| invalid("must be a URL such as smtps://user:password@host"))?;
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    if url.query_pairs().any(|(name, _)| name != "tls") {
        return Err(invalid("knows no parameter but tls"));
    }
    let is_private = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) | ("smtp", Some("required")) => true,
        ("smtp", None) => is_loopback(&url),
        _ => {
            return Err(invalid("must begin with smtps://, or with smtp:// and may end in ?tls=required"));
        }
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("must name a host"));
    }
    // lettre takes a user without a password for no credentials at all.
    if !url.username().is_empty() && url.password().is_none() {
        return Err(invalid("has a user but no password"));
    }
    if url.password().is_some() && !is_private {
        return Err(invalid("would send the password in the clear: use smtps:// or ?tls=required"));
    }
    Ok(())
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_cross_a_network_in_the_clear() {
        for url in [
            "smtps://user:pass@mail.example.in",
            "smtp://user:pass@mail.example.in?tls=required",
            "smtp://user:pass@127.0.0.1:4025",
            "smtp://user:pass@localhost:4025",
            "smtp://relay.internal:25",
        ] {
            assert!(check_url(url).is_ok(), "{url}");
        }
        for url in [
            "smtp://user:pass@mail.example.in",
            "smtp://user:pass@mail.example.in:587",
            "smtp://user:pass@mail.example.in?tls=opportunistic",
            "smtp://user@mail.example.in?tls=required",
            "smtps://user:pass@mail.example.in?tsl=required",
            "https://mail.example.in",
            "smtp://",
            "mail.example.in",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn a_sender_that_is_no_address_is_refused() {
        for from in ["", "DGT", "a@b.in\r\nBcc: x@y.in", "a@b.in, c@d.in"] {
            let config = SmtpConfig::new("smtp://127.0.0.1:4025".into(), from);
            assert!(Smtp::new(config, Ambient::system()).is_err(), "{from}");
        }
    }
}
