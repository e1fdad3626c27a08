//! A sender behind a guard: repeated where that is safe, never where it is not, and not called at all when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kernel::Ambient;
use notify::{Guarded, SendError, SmsMessage, SmsReceipt, SmsSender, Twilio};
use outbound::{BreakerConfig, Guard, GuardConfig, RetryConfig};
use sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use testkit::FakeClock;
use testkit::raw::{Answer, RawServer, http};

use crate::twilio::{config, fault, inbox, sms};

fn guard_config() -> GuardConfig {
    GuardConfig {
        concurrency: 4,
        wait: Duration::from_millis(100),
        breaker: BreakerConfig { min_calls: 4, ..BreakerConfig::default() },
        retry: RetryConfig {
            retries: 2,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(50),
        },
    }
}

fn guarded<S: SmsSender>(sender: S) -> Guarded<S> {
    Guarded::new(sender, Guard::new("test", guard_config(), Ambient::system()))
}

#[tokio::test]
async fn a_throttled_call_is_made_again() {
    let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
    fault(&sandbox, json!({"target": "twilio", "error": 429, "times": 2})).await;
    let twilio = Twilio::new(config(&sandbox.http_url())).unwrap();
    guarded(twilio).send(&sms()).await.unwrap();
    assert_eq!(inbox(&sandbox, "sms").await.len(), 1);
    sandbox.stop().await;
}

#[tokio::test]
async fn what_may_have_been_sent_is_never_sent_again() {
    for (answer, error) in [
        (Answer::HangUp, SendError::Unknown),
        (Answer::Silence, SendError::Unknown),
        (http(201, "", b"?"), SendError::Unknown),
        (http(503, "", b""), SendError::Failed { code: 503 }),
    ] {
        let server = RawServer::start(answer).await;
        let twilio = Twilio::new(config(&server.url())).unwrap();
        assert_eq!(guarded(twilio).send(&sms()).await, Err(error));
        assert_eq!(server.connections(), 1, "{error}");
    }
}

#[tokio::test]
async fn a_wait_longer_than_ours_is_left_to_the_caller() {
    let server = RawServer::start(http(429, "retry-after: 60\r\n", b"")).await;
    let twilio = Twilio::new(config(&server.url())).unwrap();
    let error = guarded(twilio).send(&sms()).await.unwrap_err();
    let retry_after = Some(Duration::from_secs(60));
    assert_eq!(error, SendError::NotSent { code: Some(429), retry_after });
    assert_eq!(server.connections(), 1);
}

/// Answers after a while, and counts.
#[derive(Clone)]
struct Slow {
    calls: Arc<AtomicUsize>,
    answer: Result<(), SendError>,
}

#[async_trait]
impl SmsSender for Slow {
    async fn send(&self, _: &SmsMessage) -> Result<SmsReceipt, SendError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.answer.map(|()| SmsReceipt { provider_id: "SM1".to_owned() })
    }
}

#[tokio::test]
async fn no_more_calls_are_under_way_than_there_are_slots() {
    let slow = Slow { calls: Arc::default(), answer: Ok(()) };
    let sender = guarded(slow.clone());
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(&sms()).await })
        })
        .collect();
    let mut busy = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, SendError::Busy);
                busy += 1;
            }
        }
    }
    assert_eq!((slow.calls.load(Ordering::SeqCst), busy), (4, 6));
}

#[tokio::test]
async fn a_failing_provider_is_left_alone_and_then_tried_by_one_call() {
    let clock = FakeClock::at("2026-01-01T00:00:00Z");
    let failing = Slow { calls: Arc::default(), answer: Err(SendError::Failed { code: 503 }) };
    let guard = Guard::new("test", guard_config(), testkit::ambient(&clock));
    let sender = Guarded::new(failing.clone(), guard);
    for _ in 0..4 {
        assert_eq!(sender.send(&sms()).await, Err(SendError::Failed { code: 503 }));
    }
    assert_eq!(sender.send(&sms()).await, Err(SendError::Busy));
    clock.advance(chrono::TimeDelta::seconds(10));
    let (one, other) = (sms(), sms());
    let (first, second) = tokio::join!(sender.send(&one), sender.send(&other));
    assert_eq!([first, second].into_iter().filter(|result| *result == Err(SendError::Busy)).count(), 1);
    assert_eq!(failing.calls.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn refused_recipients_do_not_speak_against_the_provider() {
    let refusing = Slow { calls: Arc::default(), answer: Err(SendError::Refused { code: 21211 }) };
    let sender = guarded(refusing.clone());
    for _ in 0..3 {
        let all: Vec<_> = (0..4).map(|_| sms()).collect();
        let (a, b, c, d) = tokio::join!(
            sender.send(&all[0]),
            sender.send(&all[1]),
            sender.send(&all[2]),
            sender.send(&all[3])
        );
        assert!([a, b, c, d].iter().all(|result| *result == Err(SendError::Refused { code: 21211 })));
    }
    assert_eq!(refusing.calls.load(Ordering::SeqCst), 12);
}

/// One wrong DLT template, or iPhones without Apple's key, does not keep everybody else's messages back; an account that
/// is not let in does.
#[tokio::test]
async fn one_wrong_message_does_not_speak_against_the_provider_and_a_wrong_account_does() {
    for (status, code, opens) in [(400, 21901, false), (401, 20003, true)] {
        let body = format!(r#"{{"code":{code},"message":"x","status":{status}}}"#);
        let server = RawServer::start(http(status, "", body.as_bytes())).await;
        let sender = guarded(Twilio::new(config(&server.url())).unwrap());
        for _ in 0..4 {
            sender.send(&sms()).await.unwrap_err();
        }
        let next = sender.send(&sms()).await.unwrap_err();
        assert_eq!(next == SendError::Busy, opens, "{code}: {next}");
    }
}
