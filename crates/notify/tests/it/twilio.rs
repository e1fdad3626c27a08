//! Twilio's client.

use std::time::{Duration, Instant};

use kernel::Phone;
use notify::{SendError, SmsMessage, SmsSender, Twilio, TwilioConfig, TwilioSender};
use outbound::http::Timeouts;
use sandbox::{Running, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use testkit::raw::{Answer, RawServer, http, nobody};

const SID: &str = "AC00000000000000000000000000000000";

pub(crate) fn config(base_url: &str) -> TwilioConfig {
    TwilioConfig {
        base_url: base_url.parse().unwrap(),
        account_sid: SID.to_owned(),
        auth_token: "sandbox-auth-token".into(),
        sender: TwilioSender::From("+15005550006".to_owned()),
        timeouts: Timeouts { connect: Duration::from_millis(500), total: Duration::from_millis(500) },
    }
}

pub(crate) fn sms() -> SmsMessage {
    SmsMessage {
        to: Phone::parse("9876543210").unwrap(),
        body: "123456 आपका कोड".into(),
        dlt_template_id: Some("1107160000000000000".to_owned()),
        validity: Duration::from_secs(300),
        status_callback: None,
    }
}

pub(crate) async fn inbox(sandbox: &Running, channel: &str) -> Vec<Value> {
    let url = format!("{}/inbox?channel={channel}", sandbox.http_url());
    let client = outbound::http::client(Timeouts::default()).unwrap();
    let answer = client.get(url).header("accept", "application/json").send().await.unwrap();
    answer.json().await.unwrap()
}

pub(crate) async fn fault(sandbox: &Running, fault: Value) {
    let client = outbound::http::client(Timeouts::default()).unwrap();
    let url = format!("{}/control/faults", sandbox.http_url());
    assert!(client.post(url).json(&fault).send().await.unwrap().status().is_success());
}

async fn sandbox() -> Running {
    Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap()
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let sandbox = sandbox().await;
    let services = [
        TwilioSender::From("+15005550006".to_owned()),
        TwilioSender::MessagingService(format!("MG{}", "0".repeat(32))),
    ];
    for sender in services {
        let twilio = Twilio::new(TwilioConfig { sender, ..config(&sandbox.http_url()) }).unwrap();
        let receipt = twilio.send(&sms()).await.unwrap();
        assert!(receipt.provider_id.starts_with("SM"), "{}", receipt.provider_id);
    }
    let inbox = inbox(&sandbox, "sms").await;
    assert_eq!(inbox.len(), 2);
    assert_eq!(inbox[0]["to"], "+919876543210");
    assert_eq!(inbox[0]["body"], "123456 आपका कोड");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_wrong_token_is_our_fault() {
    let sandbox = sandbox().await;
    let wrong = TwilioConfig { auth_token: "wrong".into(), ..config(&sandbox.http_url()) };
    let result = Twilio::new(wrong).unwrap().send(&sms()).await;
    assert_eq!(result, Err(SendError::Misconfigured { code: 20003 }));
    sandbox.stop().await;
}

#[tokio::test]
async fn each_failure_of_the_provider_is_told_apart() {
    let sandbox = sandbox().await;
    let twilio = Twilio::new(config(&sandbox.http_url())).unwrap();
    let cases = [
        (json!({"error": 429}), SendError::NotSent { code: Some(20429), retry_after: None }),
        (json!({"error": 503}), SendError::Failed { code: 20503 }),
        (json!({"drop": true}), SendError::Unknown),
        (json!({"delayMs": 2_000}), SendError::Unknown),
    ];
    for (mut request, expected) in cases {
        request["target"] = json!("twilio");
        request["times"] = json!(1);
        fault(&sandbox, request).await;
        assert_eq!(twilio.send(&sms()).await, Err(expected));
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_recipient_that_cannot_be_sent_to_is_refused() {
    let body = br#"{"code":21614,"message":"+919876543210 is not a mobile number","status":400}"#;
    let server = RawServer::start(http(400, "", body)).await;
    let error = Twilio::new(config(&server.url())).unwrap().send(&sms()).await.unwrap_err();
    assert_eq!(error, SendError::Refused { code: 21614 });
    assert!(!format!("{error} {error:?}").contains("98765"));
}

#[tokio::test]
async fn nobody_there_means_not_sent() {
    let url = format!("http://{}", nobody().await);
    let result = Twilio::new(config(&url)).unwrap().send(&sms()).await;
    assert_eq!(result, Err(SendError::NotSent { code: None, retry_after: None }));
}

#[tokio::test]
async fn the_wait_that_the_provider_asks_for_is_told() {
    let server = RawServer::start(http(429, "retry-after: 7\r\n", b"{}")).await;
    let result = Twilio::new(config(&server.url())).unwrap().send(&sms()).await;
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(result, Err(SendError::NotSent { code: Some(429), retry_after }));
}

#[tokio::test]
async fn garbage_silence_and_endless_answers_end_in_time() {
    let huge = vec![b'x'; 1024 * 1024];
    for answer in [
        http(201, "", b"not json"),
        http(201, "", &huge),
        Answer::Say(b"\x00\x01garbage\r\n\r\n".to_vec()),
        Answer::Say(b"HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{".to_vec()),
        Answer::Silence,
        Answer::HangUp,
        Answer::Drip,
    ] {
        let server = RawServer::start(answer).await;
        let begin = Instant::now();
        let result = Twilio::new(config(&server.url())).unwrap().send(&sms()).await;
        assert_eq!(result, Err(SendError::Unknown));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let trap = RawServer::start(Answer::HangUp).await;
    let location = format!("location: {}/\r\n", trap.url());
    let server = RawServer::start(http(307, &location, b"")).await;
    let result = Twilio::new(config(&server.url())).unwrap().send(&sms()).await;
    assert_eq!(result, Err(SendError::Misconfigured { code: 307 }));
    assert_eq!((server.connections(), trap.connections()), (1, 0));
}
