//! The inbox, and the sandbox's own routes.

use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use reqwest::{Method, StatusCode};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::bench::{self, ASHA, Bench};

async fn mail(bench: &Bench, to: &str, subject: &str, body: &str) {
    let address = bench.running.smtp_addr();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .build();
    let message = Message::builder()
        .from("shop@example.in".parse().unwrap())
        .to(to.parse().unwrap())
        .subject(subject)
        .body(body.to_owned())
        .unwrap();
    transport.send(message).await.unwrap();
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["body"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_message_is_there_newest_first() {
    let bench = Bench::open().await;
    bench.send_sms(ASHA, "an SMS").await;
    mail(&bench, "asha@example.in", "A subject", "a mail").await;

    let messages = bench.inbox("").await;
    assert_eq!(bodies(&messages), ["a mail", "an SMS"]);
    let mut newest = messages[0].clone();
    let received = newest.as_object_mut().unwrap().remove("receivedAt").unwrap();
    assert!(received.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().is_ok());
    assert_eq!(
        newest,
        json!({"channel": "email", "to": "asha@example.in", "subject": "A subject", "body": "a mail"})
    );
    assert_eq!(messages[1]["subject"], Value::Null);
}

#[tokio::test]
async fn channel_and_recipient_narrow_it() {
    let bench = Bench::open().await;
    bench.send_sms(ASHA, "one").await;
    bench.send_sms("+919812345678", "two").await;
    mail(&bench, "asha+shop@example.in", "A subject", "three").await;

    for (query, expected) in [
        ("?channel=sms", vec!["two", "one"]),
        ("?channel=email", vec!["three"]),
        ("?channel=push", vec![]),
        ("?channel=sms&to=%2B919876543210", vec!["one"]),
        ("?to=+919876543210", vec!["one"]),
        ("?to=Asha%2Bshop@example.in", vec!["three"]),
        ("?to=asha+shop@example.in", vec!["three"]),
        ("?channel=email&to=%2B919876543210", vec![]),
    ] {
        assert_eq!(bodies(&bench.inbox(query).await), expected, "{query}");
    }
}

#[tokio::test]
async fn an_unknown_filter_is_named() {
    let bench = Bench::open().await;
    for (query, field) in [("channel=fax", "channel"), ("recipient=me", "recipient")] {
        let answer = bench.request(Method::GET, &format!("/inbox?{query}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(bench::json(answer).await["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn it_can_be_emptied() {
    let bench = Bench::open().await;
    bench.send_sms(ASHA, "one").await;
    let answer = bench.request(Method::DELETE, "/inbox").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(bench.inbox("").await.is_empty());
}

#[tokio::test]
async fn a_browser_gets_a_page_in_which_messages_stay_text() {
    let bench = Bench::open().await;
    bench.send_sms(ASHA, "<script>alert('hi')</script> & नमस्ते").await;
    let page = bench
        .request(Method::GET, "/inbox?to=%22%3E%3Cb%3E")
        .header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{page}");
    assert!(page.contains("Nothing has arrived."));

    let page = bench.request(Method::GET, "/inbox").header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains("&lt;script&gt;alert(&#39;hi&#39;)&lt;/script&gt; &amp; नमस्ते"), "{page}");
    assert!(page.contains("http-equiv=\"refresh\"") && !page.contains("<script"));
}

#[tokio::test]
async fn the_sandbox_tells_that_it_runs_and_what_it_does_not_have() {
    let bench = Bench::open().await;
    for (method, path, status) in [
        (Method::GET, "/livez", StatusCode::OK),
        (Method::GET, "/nowhere", StatusCode::NOT_FOUND),
        (Method::PUT, "/inbox", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = bench.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(bench::json(answer).await.is_object());
    }
}

#[tokio::test]
async fn a_taken_address_is_told_at_start() {
    let bench = Bench::open().await;
    let config = SandboxConfig { bind: bench.running.http_addr(), ..SandboxConfig::on_free_ports() };
    let error = Sandbox::start(config).await.err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen for HTTP on {}", bench.running.http_addr()));
}

#[tokio::test]
async fn after_a_stop_nobody_answers() {
    let bench = Bench::open().await;
    bench.send_sms(ASHA, "one").await;
    let (http, smtp) = (bench.running.http_addr(), bench.running.smtp_addr());
    bench.running.stop().await;
    for address in [http, smtp] {
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "{address}");
    }
}
