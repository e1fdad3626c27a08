//! Razorpay's client against a socket that says what it is told to.

use std::time::{Duration, Instant};

use kernel::{Ambient, Money};
use outbound::http::Timeouts;
use outbound::{BreakerConfig, Guard, GuardConfig, RetryConfig};
use payments::{
    NewProviderOrder, NewProviderRefund, PaymentProvider, ProviderError, Razorpay, RazorpayConfig,
    RefundSpeed,
};
use testkit::raw::{Answer, RawServer, http, nobody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::desk::KEY_SECRET;

pub(crate) fn client(base_url: &str, secret: &str) -> Razorpay {
    let config = RazorpayConfig {
        base_url: base_url.parse().unwrap(),
        key_id: "rzp_test_SandboxKey0001".to_owned(),
        key_secret: secret.into(),
        timeouts: Timeouts { connect: Duration::from_millis(500), total: Duration::from_millis(500) },
    };
    let guard = GuardConfig {
        concurrency: 16,
        wait: Duration::from_millis(100),
        breaker: BreakerConfig::default(),
        retry: RetryConfig {
            retries: 2,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(50),
        },
    };
    Razorpay::new(config, Guard::new("razorpay", guard, Ambient::system())).unwrap()
}

fn order() -> NewProviderOrder {
    NewProviderOrder { amount: Money::inr(50_000), receipt: "receipt-1".to_owned() }
}

fn refund() -> NewProviderRefund {
    NewProviderRefund {
        amount: 100,
        idem_key: "0123456789".to_owned(),
        receipt: "refund-1".to_owned(),
        speed: RefundSpeed::Normal,
    }
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_not_made_again_and_a_refund_is() {
    for answer in [Answer::HangUp, Answer::Silence, http(200, "", b"<html>"), http(502, "", b"bad gateway")] {
        let server = RawServer::start(answer).await;
        let razorpay = client(&server.url(), KEY_SECRET);
        assert_eq!(razorpay.create_order(&order()).await, Err(ProviderError::Unknown));
        assert_eq!(server.connections(), 1);
        assert_eq!(razorpay.capture("pay_1", Money::inr(100)).await, Err(ProviderError::Unknown));
        assert_eq!(server.connections(), 2);
        assert_eq!(razorpay.refund("pay_1", &refund()).await, Err(ProviderError::Unknown));
        assert_eq!(server.connections(), 5, "three tries under one key");
        assert_eq!(razorpay.payment("pay_1").await, Err(ProviderError::Unknown));
        assert_eq!(server.connections(), 8, "looking cannot act at all");
    }
}

/// A server that hangs up on the first who calls, and has no time for the others.
async fn moody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut request = [0; 4096];
        let (mut first, _) = listener.accept().await.unwrap();
        let _ = first.read(&mut request).await;
        drop(first);
        while let Ok((mut other, _)) = listener.accept().await {
            let _ = other.read(&mut request).await;
            let answer = b"HTTP/1.1 429 X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = other.write_all(answer).await;
        }
    });
    url
}

#[tokio::test]
async fn a_try_that_was_not_made_says_nothing_of_one_before_it() {
    let refunded = client(&moody().await, KEY_SECRET).refund("pay_1", &refund()).await;
    assert_eq!(refunded, Err(ProviderError::Unknown), "the first may have come through");
}

#[tokio::test]
async fn nobody_there_means_not_done() {
    let url = format!("http://{}", nobody().await);
    let result = client(&url, KEY_SECRET).create_order(&order()).await;
    assert_eq!(result, Err(ProviderError::Unavailable { retry_after: None }));
}

#[tokio::test]
async fn the_wait_that_the_provider_asks_for_is_told() {
    let server = RawServer::start(http(429, "retry-after: 7\r\n", b"{}")).await;
    let result = client(&server.url(), KEY_SECRET).create_order(&order()).await;
    assert_eq!(result, Err(ProviderError::Unavailable { retry_after: Some(Duration::from_secs(7)) }));
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn garbage_and_endless_answers_end_in_time() {
    let huge = vec![b' '; 2 * 1024 * 1024];
    for answer in [
        http(200, "", &huge),
        http(200, "", br#"{"id":"order_1"}"#),
        http(200, "", br#"{"id":"order_1","amount":10.5,"currency":"INR"}"#),
        Answer::Say(b"\x00\x01garbage\r\n\r\n".to_vec()),
        Answer::Say(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_vec()),
        Answer::Drip,
    ] {
        let server = RawServer::start(answer).await;
        let begin = Instant::now();
        let result = client(&server.url(), KEY_SECRET).create_order(&order()).await;
        assert_eq!(result, Err(ProviderError::Unknown));
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let trap = RawServer::start(Answer::HangUp).await;
    let location = format!("location: {}/\r\n", trap.url());
    let server = RawServer::start(http(307, &location, b"")).await;
    let result = client(&server.url(), KEY_SECRET).payment("pay_1").await;
    assert_eq!(result, Err(ProviderError::Misconfigured { status: 307 }));
    assert_eq!((server.connections(), trap.connections()), (1, 0));
}

#[tokio::test]
async fn a_refund_that_is_still_being_dealt_with_is_unknown() {
    let body = br#"{"error":{"code":"BAD_REQUEST_ERROR","description":"in progress"}}"#;
    let server = RawServer::start(http(409, "", body)).await;
    let result = client(&server.url(), KEY_SECRET).refund("pay_1", &refund()).await;
    assert_eq!((result, server.connections()), (Err(ProviderError::Unknown), 3));
}

#[tokio::test]
async fn a_list_with_one_item_that_cannot_be_read_is_not_taken_for_the_whole() {
    let body = br#"{"items":[{"id":"rfnd_1","payment_id":"pay_1","amount":"x"}]}"#;
    let server = RawServer::start(http(200, "", body)).await;
    let result = client(&server.url(), KEY_SECRET).refunds_of_payment("pay_1").await;
    assert_eq!(result, Err(ProviderError::Unknown));
}

#[test]
fn the_secret_does_not_cross_a_network_in_the_clear_or_show_itself() {
    let config = |base_url: &str| RazorpayConfig {
        base_url: base_url.parse().unwrap(),
        key_id: "rzp_test_SandboxKey0001".to_owned(),
        key_secret: KEY_SECRET.into(),
        timeouts: Timeouts::default(),
    };
    let guard = || Guard::new("razorpay", GuardConfig::default(), Ambient::system());
    assert!(Razorpay::new(config("http://api.razorpay.com"), guard()).is_err());
    let razorpay = Razorpay::new(config("https://api.razorpay.com"), guard()).unwrap();
    assert!(!format!("{razorpay:?} {:?}", config("https://x")).contains(KEY_SECRET));
}
