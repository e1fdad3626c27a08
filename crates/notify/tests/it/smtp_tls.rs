//! The mail client under TLS, from the start and by STARTTLS. The sandbox's mail server stands behind a relay that speaks
//! TLS for it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use kernel::Ambient;
use notify::{MailSender, SendError, Smtp, SmtpConfig};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sandbox::{Running, Sandbox, SandboxConfig};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::log::Log;
use crate::smtp::mail;
use crate::twilio::inbox;

const NOT_SENT: SendError = SendError::NotSent { code: None, retry_after: None };

/// For a step and for a mail, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// The first byte of TLS (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// How TLS begins.
#[derive(Debug, Clone, Copy)]
enum Way {
    FromTheStart,
    /// After `STARTTLS`, whose answer is followed in the clear by what somebody on the way adds.
    StartTls {
        added: &'static str,
    },
}

const HONEST: Way = Way::StartTls { added: "" };

/// A mail server with a certificate, before the sandbox's.
struct Relay {
    addr: SocketAddr,
    certificate: String,
    /// Lines that were said in the clear.
    overheard: Arc<Mutex<Vec<String>>>,
}

/// How a relay talks.
#[derive(Clone)]
struct Manners {
    way: Way,
    acceptor: TlsAcceptor,
    /// Who may send: `user` and `password` with a zero before each (RFC 4616), in Base64. Anybody, if it is not asked.
    login: Option<&'static str>,
    /// The sandbox's mail server.
    behind: String,
    overheard: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// With a certificate of this name.
    async fn start(sandbox: &Running, way: Way, name: &str) -> Self {
        Self::with_login(sandbox, way, name, None).await
    }

    async fn with_login(sandbox: &Running, way: Way, name: &str, login: Option<&'static str>) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let tls = tls.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let behind = sandbox.smtp_url().trim_start_matches("smtp://").to_owned();
        let overheard = Arc::new(Mutex::new(Vec::new()));
        let manners = Manners { way, acceptor, login, behind, overheard: Arc::clone(&overheard) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manners = manners.clone();
                // A client that trusts nobody hangs up at any moment.
                tokio::spawn(async move { manners.relay(stream).await.ok() });
            }
        });
        Self { addr, certificate: cert.pem(), overheard }
    }

    fn overheard(&self) -> Vec<String> {
        self.overheard.lock().unwrap().clone()
    }
}

impl Manners {
    async fn relay(&self, stream: TcpStream) -> io::Result<()> {
        let (stream, greeting) = match self.way {
            Way::FromTheStart => {
                // Here the server's greeting is the first word under TLS.
                let mut first = [0];
                stream.peek(&mut first).await?;
                if first != [HANDSHAKE] {
                    self.overhear(&format!("{first:?}"));
                }
                (stream, "220 relay\r\n")
            }
            Way::StartTls { added } => (self.until_starttls(stream, added).await?, ""),
        };
        let mut client = BufReader::new(self.acceptor.accept(stream).await?);
        client.write_all(greeting.as_bytes()).await?;
        client.flush().await?;
        let mut server = BufReader::new(TcpStream::connect(&self.behind).await?);
        answer(&mut server).await?;
        if self.login.is_some() {
            self.ask_who_it_is(&mut client).await?;
            server.write_all(b"EHLO relay\r\n").await?;
            answer(&mut server).await?;
        }
        copy_bidirectional(&mut client, server.get_mut()).await.map(drop)
    }

    /// Talks in the clear until the client asks for TLS.
    async fn until_starttls(&self, stream: TcpStream, added: &str) -> io::Result<TcpStream> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 relay\r\n").await?;
        loop {
            let line = line(&mut stream).await?;
            self.overhear(&line);
            if line.starts_with("EHLO") {
                stream.write_all(b"250-relay\r\n250 STARTTLS\r\n").await?;
            } else if line == "STARTTLS" {
                // In one piece, as somebody on the way would send it.
                stream.write_all(format!("220 go ahead\r\n{added}").as_bytes()).await?;
                return Ok(stream.into_inner());
            } else {
                stream.write_all(b"530 say STARTTLS first\r\n").await?;
            }
        }
    }

    /// Lets nobody on but whom it knows (RFC 4954).
    async fn ask_who_it_is(&self, client: &mut BufReader<TlsStream<TcpStream>>) -> io::Result<()> {
        line(client).await?;
        client.write_all(b"250-relay\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n").await?;
        client.flush().await?;
        let said = line(client).await?;
        if said.strip_prefix("AUTH PLAIN ") != self.login {
            client.write_all(b"535 5.7.8 not you\r\n").await?;
            client.flush().await?;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        client.write_all(b"235 2.7.0 it is you\r\n").await?;
        client.flush().await
    }

    fn overhear(&self, line: &str) {
        self.overheard.lock().unwrap().push(line.to_owned());
    }
}

async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

/// Reads an answer to its last line, and forgets it.
async fn answer(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<()> {
    while line(stream).await?.as_bytes().get(3) == Some(&b'-') {}
    Ok(())
}

/// A client of the relay, under the name `localhost`, who says who it is if that is given.
fn client(relay: &Relay, way: Way, authorities: Option<&str>, who: &str) -> Smtp {
    let port = relay.addr.port();
    let url = match way {
        Way::FromTheStart => format!("smtps://{who}localhost:{port}"),
        Way::StartTls { .. } => format!("smtp://{who}localhost:{port}?tls=required"),
    };
    let config = SmtpConfig {
        authorities: authorities.map(ToOwned::to_owned),
        step_timeout: PATIENCE,
        total_timeout: PATIENCE,
        ..SmtpConfig::new(url.into(), "DGT Marketplace <no-reply@dgt.example>")
    };
    Smtp::new(config, Ambient::system()).unwrap()
}

/// Sends a mail that TLS must not let through, and is told so in the log.
async fn fails_by_tls(client: &Smtp, case: &str) {
    let log = Log::default();
    let heard = log.listen();
    assert_eq!(client.send(&mail()).await, Err(NOT_SENT), "{case}");
    drop(heard);
    assert!(log.text().contains("TLS with the mail server failed"), "{case}: {}", log.text());
}

#[tokio::test]
async fn a_mail_goes_under_tls_and_nothing_of_it_in_the_clear() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    for (index, way) in [Way::FromTheStart, HONEST].into_iter().enumerate() {
        let relay = Relay::start(&sandbox, way, "localhost").await;
        let client = client(&relay, way, Some(&relay.certificate), "");
        client.send(&mail()).await.unwrap();
        client.send(&mail()).await.unwrap();
        let inbox = inbox(&sandbox, "email").await;
        assert_eq!(inbox.len(), 2 * (index + 1), "{way:?}");
        assert!(inbox.iter().all(|mail| mail["to"] == "asha@example.in"), "{way:?}");
        let overheard = relay.overheard();
        match way {
            Way::FromTheStart => assert_eq!(overheard, Vec::<String>::new()),
            // Once: the second mail went over the same connection.
            Way::StartTls { .. } => {
                assert!(overheard.len() == 2 && overheard[0].starts_with("EHLO"), "{overheard:?}");
                assert_eq!(overheard[1], "STARTTLS");
            }
        }
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_who_it_should_be_gets_no_mail() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    for way in [Way::FromTheStart, HONEST] {
        let stranger = Relay::start(&sandbox, way, "localhost").await;
        let other_name = Relay::start(&sandbox, way, "mail.example.in").await;
        for (relay, authorities) in [
            (&stranger, None),
            (&stranger, Some(&other_name.certificate)),
            (&other_name, Some(&other_name.certificate)),
        ] {
            let client = client(relay, way, authorities.map(String::as_str), "");
            fails_by_tls(&client, &format!("{way:?}")).await;
        }
    }
    assert!(inbox(&sandbox, "email").await.is_empty());
    sandbox.stop().await;
}

/// The usual way of production: `smtps://user:password@host`, with what a URL wants encoded in both.
#[tokio::test]
async fn who_sends_is_said_under_tls_alone() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let login = BASE64_STANDARD.encode("\0mailer@dgt\0pass:word/1");
    let login: &'static str = login.leak();
    for way in [Way::FromTheStart, HONEST] {
        let relay = Relay::with_login(&sandbox, way, "localhost", Some(login)).await;
        let as_who = |who| client(&relay, way, Some(&relay.certificate), who);
        let stranger = as_who("mailer%40dgt:guess@").send(&mail()).await;
        assert_eq!(stranger, Err(SendError::Misconfigured { code: 535 }), "{way:?}");
        let before = inbox(&sandbox, "email").await.len();
        as_who("mailer%40dgt:pass%3Aword%2F1@").send(&mail()).await.unwrap();
        assert_eq!(inbox(&sandbox, "email").await.len(), before + 1, "{way:?}");
        let overheard = relay.overheard();
        let is_harmless = |line: &String| line.starts_with("EHLO") || line == "STARTTLS";
        assert!(overheard.iter().all(is_harmless), "{way:?}: {overheard:?}");
    }
    sandbox.stop().await;
}

/// Whoever sits between us and the server can add answers behind that to STARTTLS. Taken for the server's, these would
/// make a mail look sent that no server has taken.
#[tokio::test]
async fn answers_that_were_added_in_the_clear_are_not_taken_for_the_servers() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    for added in
        ["250 relay\r\n", "250-relay\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n", "2"]
    {
        let way = Way::StartTls { added };
        let relay = Relay::start(&sandbox, way, "localhost").await;
        let client = client(&relay, way, Some(&relay.certificate), "");
        fails_by_tls(&client, added).await;
    }
    assert!(inbox(&sandbox, "email").await.is_empty());
    sandbox.stop().await;
}
