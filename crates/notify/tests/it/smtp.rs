//! The mail client.

use std::time::{Duration, Instant};

use kernel::{Ambient, Email};
use notify::{MailMessage, MailSender, SendError, Smtp, SmtpConfig};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use testkit::raw::{Answer, RawServer, nobody};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use crate::twilio::{fault, inbox};

const NOT_SENT: SendError = SendError::NotSent { code: None, retry_after: None };

pub(crate) fn smtp(url: &str) -> Smtp {
    let config = SmtpConfig {
        step_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(1_000),
        ..SmtpConfig::new(url.into(), "DGT Marketplace <no-reply@dgt.example>")
    };
    Smtp::new(config, Ambient::system()).unwrap()
}

pub(crate) fn mail() -> MailMessage {
    MailMessage {
        id: Ambient::system().new_uuid(),
        to: Email::parse("asha@example.in").unwrap(),
        subject: "आपका कोड".to_owned(),
        text: "Your code is 123456.\r\n.\r\nA line with a dot above.".into(),
        html: Some("<p>Your code is <b>123456</b>.</p>".into()),
        unsubscribe: None,
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let smtp = smtp(&sandbox.smtp_url());
    let mail = mail();
    let receipt = smtp.send(&mail).await.unwrap();
    assert_eq!(receipt.message_id, format!("<{}@dgt.example>", mail.id));
    smtp.send(&mail).await.unwrap();
    let inbox = inbox(&sandbox, "email").await;
    assert_eq!(inbox.len(), 2, "the second went over the same connection");
    assert_eq!(inbox[0]["to"], "asha@example.in");
    assert_eq!(inbox[0]["subject"], "आपका कोड");
    let body = inbox[0]["body"].as_str().unwrap();
    assert!(body.contains("123456") && body.contains("A line with a dot above."), "{body}");
    sandbox.stop().await;
}

/// The server hangs up on whoever is silent for long.
#[tokio::test]
async fn a_connection_that_ended_meanwhile_is_replaced() {
    let config = SandboxConfig { smtp_timeout: Duration::from_secs(1), ..SandboxConfig::on_free_ports() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let smtp = smtp(&sandbox.smtp_url());
    for sent in 1..=2 {
        smtp.send(&mail()).await.unwrap();
        assert_eq!(inbox(&sandbox, "email").await.len(), sent);
        tokio::time::sleep(Duration::from_millis(1_600)).await;
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn temporary_and_permanent_refusals_are_told_apart() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let smtp = smtp(&sandbox.smtp_url());
    let cases = [
        (json!({"error": 451}), SendError::NotSent { code: Some(451), retry_after: None }),
        (json!({"error": 550}), SendError::Refused { code: 550 }),
        (json!({"error": 530}), SendError::Misconfigured { code: 530 }),
        (json!({"drop": true}), NOT_SENT),
        (json!({"delayMs": 3_000}), NOT_SENT),
    ];
    for (mut request, expected) in cases {
        request["target"] = json!("smtp");
        request["times"] = json!(1);
        fault(&sandbox, request).await;
        assert_eq!(smtp.send(&mail()).await, Err(expected));
    }
    smtp.send(&mail()).await.unwrap();
    sandbox.stop().await;
}

#[tokio::test]
async fn nobody_there_means_not_sent() {
    let result = smtp(&format!("smtp://{}", nobody().await)).send(&mail()).await;
    assert_eq!(result, Err(NOT_SENT));
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail_when_tls_is_required() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let result = smtp(&format!("{}?tls=required", sandbox.smtp_url())).send(&mail()).await;
    assert_eq!(result, Err(SendError::Misconfigured { code: 0 }));
    assert!(inbox(&sandbox, "email").await.is_empty());
    sandbox.stop().await;
}

#[tokio::test]
async fn garbage_and_silence_end_in_time() {
    for answer in [
        Answer::Greet(b"HTTP/1.1 200 OK\r\n\r\n"),
        Answer::Greet(b"220 hello\r\n"),
        Answer::Greet(b""),
        Answer::HangUp,
    ] {
        let server = RawServer::start(answer).await;
        let begin = Instant::now();
        let result = smtp(&format!("smtp://{}", server.addr)).send(&mail()).await;
        assert_eq!(result, Err(NOT_SENT));
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_host_whose_name_leads_nowhere_means_not_sent() {
    let result = smtp("smtp://nobody.invalid:25").send(&mail()).await;
    assert_eq!(result, Err(NOT_SENT));
}

/// How a server stops in the middle of a conversation.
#[derive(Debug, Clone, Copy)]
enum Stop {
    HangsUp,
    SaysNoMore,
    Refuses,
}

/// A mail server that takes part until it has heard so many lines; the text up to its dot counts as one.
async fn server(lines: usize, stop: Stop) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut in_text = false;
        stream.write_all(b"220 hello\r\n").await.unwrap();
        let mut heard = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            if in_text && line != ".\r\n" {
                continue;
            }
            heard += 1;
            let answer: &[u8] = match (heard == lines, stop, line.as_str()) {
                (true, Stop::HangsUp, _) => return,
                (true, Stop::SaysNoMore, _) => return std::future::pending().await,
                (true, Stop::Refuses, _) => b"554 no\r\n",
                (_, _, "DATA\r\n") => b"354 go on\r\n",
                _ => b"250 8BITMIME\r\n",
            };
            in_text = answer.starts_with(b"354");
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    });
    url
}

/// EHLO, MAIL, RCPT, DATA: a server that is lost at any of them has no mail, and it is sent again.
#[tokio::test]
async fn what_breaks_before_the_text_has_left_is_not_sent() {
    for lines in 1..=4 {
        for stop in [Stop::HangsUp, Stop::SaysNoMore] {
            let result = smtp(&server(lines, stop).await).send(&mail()).await;
            assert_eq!(result, Err(NOT_SENT), "{lines} {stop:?}");
        }
    }
}

#[tokio::test]
async fn what_breaks_after_the_text_has_left_is_unknown() {
    for stop in [Stop::HangsUp, Stop::SaysNoMore] {
        let result = smtp(&server(5, stop).await).send(&mail()).await;
        assert_eq!(result, Err(SendError::Unknown), "{stop:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_closed_to_us_is_told_from_one_that_refuses_a_recipient() {
    let greeting = smtp(&server(1, Stop::Refuses).await).send(&mail()).await;
    assert_eq!(greeting, Err(SendError::Misconfigured { code: 554 }));
    for lines in 2..=5 {
        let result = smtp(&server(lines, Stop::Refuses).await).send(&mail()).await;
        assert_eq!(result, Err(SendError::Refused { code: 554 }), "{lines}");
    }
}
