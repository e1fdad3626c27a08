//! Mail by SMTP submission: port 465 with TLS from the start, or 587 with STARTTLS (RFC 8314, RFC 6409).

mod clear_line;
mod compose;
mod failure;
mod pool;
mod server;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::Ambient;
use lettre::Message;
use lettre::address::{Address, Envelope};
use lettre::message::Mailbox;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};

use self::failure::step;
use self::pool::Pool;
use self::server::Server;
use crate::{ConfigError, MailMessage, MailReceipt, MailSender, SendError};

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// `smtps://user:password@host` (port 465) for TLS from the start, `smtp://user:password@host?tls=required`
    /// (port 587) for STARTTLS, without which nothing is sent then, or `smtp://127.0.0.1:4025` in the clear. User and
    /// password are percent-encoded; a path names this machine in EHLO.
    pub url: SecretString,
    /// Certificates of authorities, in PEM, that the server's may come from beside the public ones.
    pub authorities: Option<String>,
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
            authorities: None,
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
    server: Arc<Server>,
    pool: Arc<Pool>,
    from: Mailbox,
    step_timeout: Duration,
    total_timeout: Duration,
    ambient: Ambient,
}

impl Smtp {
    /// A client; it connects when it first sends.
    ///
    /// # Errors
    /// When the URL, the sender or the certificates cannot be read, or credentials would be sent in the clear.
    pub fn new(config: SmtpConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let SmtpConfig { url, authorities, from, step_timeout, total_timeout, pool_size } = config;
        let from: Mailbox = from.parse().ok().ok_or_else(|| {
            ConfigError::invalid("from", "must be an address such as DGT Marketplace <no-reply@example.in>")
        })?;
        let server = Arc::new(Server::parse(url.expose_secret(), authorities.as_deref())?);
        Ok(Self { server, pool: Arc::new(Pool::new(pool_size)), from, step_timeout, total_timeout, ambient })
    }

    /// Sends it in two parts, which share the time that there is: until the server wants to hear the text nothing has
    /// left, whatever goes wrong; from then on only its answer tells.
    async fn post(&self, mail: &Message) -> Result<(), SendError> {
        let deadline = Instant::now() + self.total_timeout;
        let text = mail.formatted();
        let begun = timeout_at(deadline, self.begin(mail.envelope(), text.is_ascii())).await;
        let mut connection = begun.unwrap_or(Err(failure::NOT_SENT))?;
        let told = step(self.step_timeout, connection.message(&text), failure::after_text);
        match timeout_at(deadline, told).await.unwrap_or(Err(SendError::Unknown)) {
            Ok(_) => {
                self.pool.keep(connection);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// A connection whose server waits for the text.
    async fn begin(&self, envelope: &Envelope, is_ascii: bool) -> Result<AsyncSmtpConnection, SendError> {
        let patience = self.step_timeout;
        let mut connection = match self.pool.take(patience).await {
            Some(connection) => connection,
            None => self.server.connect(patience).await?,
        };
        let options = options(envelope, is_ascii, &connection)?;
        let from = Mail::new(envelope.from().cloned(), options);
        step(patience, connection.command(from), failure::before_text).await?;
        for to in envelope.to() {
            let to = Rcpt::new(to.clone(), Vec::new());
            step(patience, connection.command(to), failure::before_text).await?;
        }
        step(patience, connection.command(Data), failure::before_text).await?;
        Ok(connection)
    }
}

/// What the mail needs the server to know beyond ASCII: 8BITMIME (RFC 6152) and SMTPUTF8 (RFC 6531).
fn options(
    envelope: &Envelope,
    is_ascii: bool,
    connection: &AsyncSmtpConnection,
) -> Result<Vec<MailParameter>, SendError> {
    let knows = |extension| connection.server_info().supports_feature(extension);
    let mut options = Vec::new();
    let is_plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    if !envelope.from().into_iter().chain(envelope.to()).all(is_plain) {
        if !knows(Extension::SmtpUtfEight) {
            // "A mailbox name that is not allowed", of this recipient alone (RFC 5321 §4.2.3).
            return Err(SendError::Refused { code: 553 });
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    if !is_ascii {
        if !knows(Extension::EightBitMime) {
            return Err(SendError::Faulty { code: 0 });
        }
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(options)
}

#[async_trait]
impl MailSender for Smtp {
    async fn send(&self, message: &MailMessage) -> Result<MailReceipt, SendError> {
        let (message_id, mail) = compose::mail(&self.from, message, self.ambient.now())?;
        let sent = self.post(&mail).await;
        if let Err(error @ SendError::Misconfigured { .. }) = &sent {
            tracing::error!(%error, "the mail server does not take our mail: check its URL, credentials and sender");
        }
        sent.map(|()| MailReceipt { message_id })
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sender_that_is_no_address_is_refused() {
        for from in ["", "DGT", "a@b.in\r\nBcc: x@y.in", "a@b.in, c@d.in"] {
            let config = SmtpConfig::new("smtp://127.0.0.1:4025".into(), from);
            assert!(Smtp::new(config, Ambient::system()).is_err(), "{from}");
        }
    }
}
