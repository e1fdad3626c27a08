//! Faults: the stand-ins misbehave as told.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{self, ACCOUNT, ASHA, Bench, TOKEN};
use crate::wire::Wire;

const MAIL: &[u8] = b"Subject: hello\r\n\r\nworld\r\n.\r\n";

#[tokio::test]
async fn twilio_fails_with_its_own_errors_as_often_as_told() {
    let bench = Bench::open().await;
    for (status, code) in [(429, 20429), (503, 20503), (500, 20500), (401, 20003), (403, 20403)] {
        bench.set_fault(&json!({"target": "twilio", "error": status, "times": 1})).await;
        let answer = bench.send_sms(ASHA, "lost").await;
        assert_eq!(answer.status().as_u16(), status);
        let error = bench::json(answer).await;
        assert_eq!((&error["code"], &error["status"]), (&json!(code), &json!(status)));
        assert_eq!(error["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
        assert_eq!(bench.send_sms(ASHA, "fine").await.status(), StatusCode::CREATED);
    }
    let messages = bench.inbox("").await;
    assert_eq!(messages.len(), 5);
    assert!(messages.iter().all(|message| message["body"] == "fine"));
}

#[tokio::test]
async fn twilio_can_be_slow() {
    let bench = Bench::open().await;
    bench.set_fault(&json!({"target": "twilio", "delayMs": 200})).await;
    let begun = Instant::now();
    assert_eq!(bench.send_sms(ASHA, "late").await.status(), StatusCode::CREATED);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(bench.inbox("").await.len(), 1);
}

#[tokio::test]
async fn twilio_can_do_a_thing_twice() {
    let bench = Bench::open().await;
    bench.set_fault(&json!({"target": "twilio", "duplicate": true, "times": 1})).await;
    bench.send_sms(ASHA, "twice").await;
    bench.send_sms(ASHA, "once").await;
    let messages = bench.inbox("").await;
    let bodies: Vec<_> = messages.iter().map(|message| message["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["once", "twice", "twice"]);
}

#[tokio::test]
async fn twilio_can_close_the_connection_without_a_word() {
    let bench = Bench::open().await;
    bench.set_fault(&json!({"target": "twilio", "drop": true, "times": 1})).await;
    let form = "To=%2B919876543210&From=%2B15005550006&Body=lost";
    let request = format!(
        "POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n\
         Host: localhost\r\n\
         Authorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")),
        form.len()
    );
    let mut stream = TcpStream::connect(bench.running.http_addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert_eq!(read.unwrap().unwrap(), 0, "{}", answer.escape_ascii());
    assert!(bench.inbox("").await.is_empty());
    let list = bench.twilio(Method::GET, "Messages.json").send().await.unwrap();
    assert_eq!(bench::json(list).await["messages"], json!([]));
}

#[tokio::test]
async fn smtp_fails_with_the_code_it_is_told() {
    let bench = Bench::open().await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    for code in [451, 550] {
        bench.set_fault(&json!({"target": "smtp", "error": code, "times": 1})).await;
        assert_eq!(wire.say("MAIL FROM:<shop@example.in>").await, code);
        assert_eq!(wire.say("RCPT TO:<asha@example.in>").await, 503);
    }
    assert_eq!(wire.send(MAIL).await, 250);
    bench.set_fault(&json!({"target": "smtp", "error": 421, "times": 1})).await;
    assert_eq!(wire.say("MAIL FROM:<shop@example.in>").await, 421);
    assert!(wire.is_closed().await);
    assert_eq!(bench.inbox("").await.len(), 1);
}

#[tokio::test]
async fn smtp_can_be_slow_and_do_a_thing_twice() {
    let bench = Bench::open().await;
    bench.set_fault(&json!({"target": "smtp", "delayMs": 200, "duplicate": true, "times": 1})).await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    let begun = Instant::now();
    assert_eq!(wire.send(MAIL).await, 250);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(bench.inbox("?channel=email").await.len(), 2);
    assert_eq!(wire.send(MAIL).await, 250);
    assert_eq!(bench.inbox("?channel=email").await.len(), 3);
}

#[tokio::test]
async fn smtp_can_close_the_connection_without_a_word() {
    let bench = Bench::open().await;
    bench.set_fault(&json!({"target": "smtp", "drop": true, "times": 1})).await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    wire.write(b"MAIL FROM:<shop@example.in>\r\n").await;
    assert!(wire.is_closed().await);
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    assert_eq!(wire.send(MAIL).await, 250);
    assert_eq!(bench.inbox("").await.len(), 1);
}

#[tokio::test]
async fn faults_are_shown_and_cleared() {
    let bench = Bench::open().await;
    let set = bench.set_fault(&json!({"target": "twilio", "error": 503, "delayMs": 5, "times": 3})).await;
    assert_eq!(set.status(), StatusCode::OK);
    let twilio = json!({
        "delayMs": 5, "error": 503, "drop": false, "duplicate": false, "times": 3, "after": false, "call": null,
    });
    assert_eq!(
        bench::json(set).await,
        json!({"twilio": twilio, "smtp": null, "razorpay": null, "fcm": null})
    );

    bench.send_sms(ASHA, "lost").await;
    let shown =
        || async { bench::json(bench.request(Method::GET, "/control/faults").send().await.unwrap()).await };
    assert_eq!(shown().await["twilio"]["times"], 2);
    let cleared = bench.request(Method::DELETE, "/control/faults").send().await.unwrap();
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    assert_eq!(shown().await, json!({"twilio": null, "smtp": null, "razorpay": null, "fcm": null}));
    assert_eq!(bench.send_sms(ASHA, "fine").await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_fault_that_makes_no_sense_is_refused_field_by_field() {
    let bench = Bench::open().await;
    for (fault, expected) in [
        (json!({}), vec!["target"]),
        (json!({"target": "apns", "drop": true}), vec!["target"]),
        (json!({"target": "twilio"}), vec!["delayMs"]),
        (json!({"target": "twilio", "dorp": true}), vec!["dorp"]),
        (json!({"target": "twilio", "error": 200}), vec!["error"]),
        (json!({"target": "smtp", "error": 499}), vec!["error"]),
        (json!({"target": "smtp", "drop": "yes"}), vec!["drop"]),
        (json!({"target": "smtp", "error": 450, "drop": true}), vec!["drop"]),
        (json!({"target": "smtp", "drop": true, "times": 0}), vec!["times"]),
        (json!({"target": "smtp", "delayMs": 300_001}), vec!["delayMs"]),
        (json!({"target": "twilio", "drop": true, "after": true, "call": "read"}), vec!["after", "call"]),
        (json!({"target": "razorpay", "duplicate": true, "after": true}), vec!["after"]),
        (json!({"target": "razorpay", "drop": true, "call": "payout"}), vec!["call"]),
        (json!({"target": "smtp", "delayMs": -1, "times": "often"}), vec!["delayMs", "times"]),
    ] {
        let answer = bench.set_fault(&fault).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{fault}");
        let problem = bench::json(answer).await;
        let fields: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(json!(fields), json!(expected), "{fault}");
    }
    let no_json = bench.request(Method::POST, "/control/faults").body("drop it").send().await.unwrap();
    assert_eq!(no_json.status(), StatusCode::BAD_REQUEST);
    let detail = bench::json(no_json).await;
    assert!(matches!(&detail["detail"], Value::String(text) if text.contains("JSON object")), "{detail}");
}
