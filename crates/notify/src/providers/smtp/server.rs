//! Which mail server, and how a connection to it comes to stand.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use outbound::http::is_loopback;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use super::clear_line::ClearLine;
use super::failure::{self, step};
use crate::{ConfigError, SendError};

/// A mail server.
pub(super) struct Server {
    host: String,
    port: u16,
    privacy: Privacy,
    credentials: Option<Credentials>,
    hello: ClientId,
}

/// How what is said stays private.
enum Privacy {
    /// It does not.
    Clear,
    /// TLS from the start.
    FromTheStart(TlsParameters),
    /// TLS before anything that matters, or nothing is said.
    StartTls(TlsParameters),
}

impl Server {
    /// Reads its URL, and whose certificates it may show beside those that everybody trusts (PEM).
    ///
    /// # Errors
    /// When these cannot be read, or a password would be sent in the clear.
    pub(super) fn parse(text: &str, authorities: Option<&str>) -> Result<Self, ConfigError> {
        let url = check(text)?;
        // Brackets mark an IPv6 address in a URL alone.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let tls = || tls(&host, authorities);
        let (privacy, port) = match url.scheme() {
            "smtps" => (Privacy::FromTheStart(tls()?), 465),
            _ if url.query().is_some() => (Privacy::StartTls(tls()?), 587),
            _ if authorities.is_some() => {
                return Err(ConfigError::invalid(
                    "ca_file",
                    "is of no use in the clear: use smtps:// or ?tls=required",
                ));
            }
            _ => (Privacy::Clear, 25),
        };
        let password = url.password().map(|password| Ok((decoded(url.username())?, decoded(password)?)));
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        Ok(Self {
            port: url.port().unwrap_or(port),
            privacy,
            credentials: password.transpose()?.map(|(user, password)| Credentials::new(user, password)),
            hello,
            host,
        })
    }

    /// A connection over which mail can be sent: greeted, private where it has to be, and logged in. Whatever fails
    /// here, no mail has left; a refusal here speaks of us and not of any recipient.
    pub(super) async fn connect(&self, patience: Duration) -> Result<AsyncSmtpConnection, SendError> {
        let mut connection = match &self.privacy {
            Privacy::Clear => self.greet(patience, None).await?,
            Privacy::FromTheStart(tls) => self.greet(patience, Some(tls.clone())).await?,
            Privacy::StartTls(tls) => self.make_private(patience, tls.clone()).await?,
        };
        if let Some(credentials) = &self.credentials {
            let known = connection.auth(DEFAULT_MECHANISMS, credentials);
            step(patience, known, failure::before_mail).await?;
        }
        Ok(connection)
    }

    async fn greet(
        &self,
        patience: Duration,
        tls: Option<TlsParameters>,
    ) -> Result<AsyncSmtpConnection, SendError> {
        let server = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(server, Some(patience), &self.hello, tls, None);
        step(patience, connected, failure::before_mail).await
    }

    async fn make_private(
        &self,
        patience: Duration,
        tls: TlsParameters,
    ) -> Result<AsyncSmtpConnection, SendError> {
        let reached = timeout(patience, TcpStream::connect((self.host.as_str(), self.port))).await;
        let Ok(Ok(stream)) = reached else { return Err(failure::NOT_SENT) };
        let line = Box::new(ClearLine::new(stream));
        let greeted = AsyncSmtpConnection::connect_with_transport(line, &self.hello);
        let mut connection = step(patience, greeted, failure::before_mail).await?;
        step(patience, connection.starttls(tls, &self.hello), failure::before_mail).await?;
        Ok(connection)
    }
}

/// Whom to believe that they are this host.
fn tls(host: &str, authorities: Option<&str>) -> Result<TlsParameters, ConfigError> {
    let tls = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err(ConfigError::invalid("ca_file", "must hold certificates in PEM"));
        }
        let certificates = Certificate::from_pem(pem.as_bytes()).ok().ok_or_else(broken)?;
        // What cannot be a root is refused only when all are put together.
        return tls.add_root_certificate(certificates).build().ok().ok_or_else(broken);
    }
    tls.build().map_err(ConfigError::Smtp)
}

fn broken() -> ConfigError {
    ConfigError::invalid("ca_file", "holds a certificate that cannot be read: each must be whole, in PEM")
}

fn invalid(problem: &'static str) -> ConfigError {
    ConfigError::invalid("url", problem)
}

fn decoded(text: &str) -> Result<String, ConfigError> {
    let text = percent_decode_str(text).decode_utf8().ok();
    text.map(Into::into).ok_or_else(|| invalid("has a user or password that is not percent-encoded UTF-8"))
}

/// Refuses what could be misread, and a password that others could read.
fn check(text: &str) -> Result<Url, ConfigError> {
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
    if !url.username().is_empty() && url.password().is_none() {
        return Err(invalid("has a user but no password"));
    }
    if url.password().is_some() && !is_private {
        return Err(invalid("would send the password in the clear: use smtps:// or ?tls=required"));
    }
    Ok(url)
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
            assert!(Server::parse(url, None).is_ok(), "{url}");
        }
        for url in [
            "smtp://user:pass@mail.example.in",
            "smtp://user:pass@mail.example.in:587",
            "smtp://user:pass@mail.example.in?tls=opportunistic",
            "smtp://user@mail.example.in?tls=required",
            "smtps://user:pass@mail.example.in?tsl=required",
            "smtps://user:%ff@mail.example.in",
            "https://mail.example.in",
            "smtp://",
            "mail.example.in",
        ] {
            assert!(Server::parse(url, None).is_err(), "{url}");
        }
    }

    #[test]
    fn the_port_follows_from_the_way_unless_it_is_named() {
        for (url, port) in [
            ("smtps://mail.example.in", 465),
            ("smtp://mail.example.in?tls=required", 587),
            ("smtp://mail.example.in", 25),
            ("smtps://mail.example.in:2465", 2_465),
        ] {
            assert_eq!(Server::parse(url, None).unwrap().port, port, "{url}");
        }
    }
}
