//! The mail client.

use std::time::{Duration, Instant};

use kernel::{Ambient, Email};
use notify::{MailMessage, MailSender, SendError, Smtp, SmtpConfig};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use testkit::raw::{Answer, RawServer, nobody};

use crate::twilio::{fault, inbox};

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

#[tokio::test]
async fn temporary_and_permanent_refusals_are_told_apart() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    let smtp = smtp(&sandbox.smtp_url());
    let cases = [
        (json!({"error": 451}), SendError::NotSent { code: Some(451), retry_after: None }),
        (json!({"error": 550}), SendError::Refused { code: 550 }),
        (json!({"error": 530}), SendError::Misconfigured { code: 530 }),
        (json!({"drop": true}), SendError::Unknown),
        (json!({"delayMs": 3_000}), SendError::Unknown),
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
    assert_eq!(result, Err(SendError::NotSent { code: None, retry_after: None }));
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
        assert_eq!(result, Err(SendError::Unknown));
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    }
}
