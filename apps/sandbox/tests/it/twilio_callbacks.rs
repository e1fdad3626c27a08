//! Twilio's reports of what became of a message.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::bench::{self, ASHA, Bench, SENDER, TOKEN};

/// A report as it came: its signature and fields.
struct Report {
    signature: String,
    fields: Vec<(String, String)>,
}

impl Report {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Takes reports; gives its address.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Report>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/status?delivery=1", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let mut buffer = [0; 4_096];
            while !text.contains("ErrorCode") && !text.contains("&To=") && !text.contains("SmsStatus=") {
                let read = stream.read(&mut buffer).await.unwrap();
                if read == 0 {
                    break;
                }
                text += std::str::from_utf8(buffer.get(..read).unwrap()).unwrap();
            }
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let signature = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("x-twilio-signature"));
            let fields = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            sender.send(Report { signature: signature.unwrap().1.to_owned(), fields }).unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .await
                .unwrap();
        }
    });
    (url, receiver)
}

async fn next(reports: &mut mpsc::UnboundedReceiver<Report>) -> Report {
    tokio::time::timeout(Duration::from_secs(10), reports.recv()).await.unwrap().unwrap()
}

async fn send(bench: &Bench, callback: &str) -> String {
    let form = [("To", ASHA), ("From", SENDER), ("Body", "hello"), ("StatusCallback", callback)];
    let message = bench::json(bench.send(&form).await).await;
    assert_eq!(message["status"], "queued");
    message["sid"].as_str().unwrap().to_owned()
}

async fn behave(bench: &Bench, behaviour: &Value) -> u16 {
    let request = bench.request(Method::POST, "/control/twilio/callbacks").json(behaviour);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_message_is_reported_as_sent_and_then_delivered_and_each_report_is_signed() {
    let bench = Bench::open().await;
    let (url, mut reports) = receiver().await;
    let sid = send(&bench, &url).await;
    for status in ["sent", "delivered"] {
        let report = next(&mut reports).await;
        assert_eq!(
            (report.get("MessageStatus"), report.get("MessageSid")),
            (Some(status), Some(sid.as_str()))
        );
        let mut fields = report.fields.clone();
        fields.sort();
        let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
        mac.update(url.as_bytes());
        fields.iter().for_each(|(name, value)| mac.update(format!("{name}{value}").as_bytes()));
        assert_eq!(report.signature, STANDARD.encode(mac.finalize().into_bytes()));
    }
    let answer = bench.twilio(Method::GET, &format!("Messages/{sid}.json")).send().await.unwrap();
    assert_eq!(bench::json(answer).await["status"], "delivered");
}

#[tokio::test]
async fn a_message_that_does_not_arrive_is_reported_with_its_code() {
    let bench = Bench::open().await;
    let (url, mut reports) = receiver().await;
    assert_eq!(
        behave(&bench, &json!({"outcome": "undelivered", "errorCode": 30_005, "duplicate": 1})).await,
        204
    );
    send(&bench, &url).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let report = next(&mut reports).await;
        seen.push((
            report.get("MessageStatus").unwrap().to_owned(),
            report.get("ErrorCode").map(str::to_owned),
        ));
    }
    let bad = ("undelivered".to_owned(), Some("30005".to_owned()));
    assert_eq!(seen, [("sent".to_owned(), None), ("sent".to_owned(), None), bad.clone(), bad]);
}

#[tokio::test]
async fn reports_can_be_lost_and_go_to_this_machine_alone() {
    let bench = Bench::open().await;
    let (url, mut reports) = receiver().await;
    assert_eq!(behave(&bench, &json!({"drop": true})).await, 204);
    let lost = send(&bench, &url).await;
    let outside = send(&bench, "https://example.in/status").await;
    assert_eq!(behave(&bench, &json!({"shuffle": true, "delayMs": 50})).await, 204);
    send(&bench, &url).await;
    let mut seen = [next(&mut reports).await, next(&mut reports).await];
    assert!(seen.iter().all(|report| report.get("MessageSid") != Some(lost.as_str())));
    seen.sort_by_key(|report| report.get("MessageStatus").unwrap().to_owned());
    assert_eq!(
        seen.iter().filter_map(|report| report.get("MessageStatus")).collect::<Vec<_>>(),
        ["delivered", "sent"]
    );
    let answer = bench.twilio(Method::GET, &format!("Messages/{outside}.json")).send().await.unwrap();
    assert_eq!(bench::json(answer).await["status"], "queued");
}

#[tokio::test]
async fn what_reports_cannot_do_is_refused() {
    let bench = Bench::open().await;
    for behaviour in
        [json!({"outcome": "lost"}), json!({"duplicate": 101}), json!({"delayMs": -1}), json!({"x": 1})]
    {
        assert_eq!(behave(&bench, &behaviour).await, 400, "{behaviour}");
    }
}
