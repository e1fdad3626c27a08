//! The mail client under TLS, from the start and by STARTTLS. The sandbox's mail server stands behind a relay that speaks
//! TLS for it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::Ambient;
use notify::{MailSender, SendError, Smtp, SmtpConfig};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sandbox::{Running, Sandbox, SandboxConfig};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::smtp::mail;
use crate::twilio::inbox;

const NOT_SENT: SendError = SendError::NotSent { code: None, retry_after: None };

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

impl Relay {
    /// With a certificate of this name.
    async fn start(sandbox: &Running, way: Way, name: &str) -> Self {
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
        let lines = Arc::clone(&overheard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(stream, acceptor.clone(), way, behind.clone(), Arc::clone(&lines)));
            }
        });
        Self { addr, certificate: cert.pem(), overheard }
    }

    fn overheard(&self) -> Vec<String> {
        self.overheard.lock().unwrap().clone()
    }
}

async fn relay(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    way: Way,
    behind: String,
    overheard: Arc<Mutex<Vec<String>>>,
) {
    let (stream, greeted) = match way {
        Way::FromTheStart => (Some(stream), false),
        Way::StartTls { added } => (until_starttls(stream, added, &overheard).await, true),
    };
    // A client that does not trust the certificate hangs up.
    let Some(stream) = stream else { return };
    let Ok(mut client) = acceptor.accept(stream).await else { return };
    let mut server = BufReader::new(TcpStream::connect(behind).await.unwrap());
    if greeted {
        server.read_line(&mut String::new()).await.unwrap();
    }
    pass_on(&mut client, server.get_mut()).await;
}

async fn pass_on(client: &mut (impl AsyncRead + AsyncWrite + Unpin), server: &mut TcpStream) {
    // Either side may hang up without a word.
    let _ = copy_bidirectional(client, server).await;
}

/// Talks in the clear until the client asks for TLS; `None` if it never does.
async fn until_starttls(stream: TcpStream, added: &str, overheard: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 relay\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        overheard.lock().unwrap().push(line.trim_end().to_owned());
        if line.starts_with("EHLO") {
            stream.write_all(b"250-relay\r\n250 STARTTLS\r\n").await.ok()?;
        } else if line.starts_with("STARTTLS") {
            // In one piece, as somebody on the way would send it.
            stream.write_all(format!("220 go ahead\r\n{added}").as_bytes()).await.ok()?;
            return Some(stream.into_inner());
        } else {
            stream.write_all(b"530 say STARTTLS first\r\n").await.ok()?;
        }
    }
}

/// A client of the relay, under the name `localhost`.
fn client(relay: &Relay, way: Way, authorities: Option<&str>) -> Smtp {
    let url = match way {
        Way::FromTheStart => format!("smtps://localhost:{}", relay.addr.port()),
        Way::StartTls { .. } => format!("smtp://localhost:{}?tls=required", relay.addr.port()),
    };
    let config = SmtpConfig {
        authorities: authorities.map(ToOwned::to_owned),
        step_timeout: Duration::from_secs(2),
        total_timeout: Duration::from_secs(5),
        ..SmtpConfig::new(url.into(), "DGT Marketplace <no-reply@dgt.example>")
    };
    Smtp::new(config, Ambient::system()).unwrap()
}

#[tokio::test]
async fn a_mail_goes_under_tls_and_nothing_of_it_in_the_clear() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    for (index, way) in [Way::FromTheStart, HONEST].into_iter().enumerate() {
        let relay = Relay::start(&sandbox, way, "localhost").await;
        let client = client(&relay, way, Some(&relay.certificate));
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
            let client = client(relay, way, authorities.map(String::as_str));
            assert_eq!(client.send(&mail()).await, Err(NOT_SENT), "{way:?}");
        }
    }
    assert!(inbox(&sandbox, "email").await.is_empty());
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
        let client = client(&relay, way, Some(&relay.certificate));
        assert_eq!(client.send(&mail()).await, Err(NOT_SENT), "{added:?}");
    }
    assert!(inbox(&sandbox, "email").await.is_empty());
    sandbox.stop().await;
}
