//! The client of Firebase against the sandbox.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::Ambient;
use notify::{
    Fcm, FcmConfig, PushError, PushMessage, PushSender, PushTarget, PushTo, PushTopic, SendError, TargetKind,
    TopicChange, TopicError,
};
use outbound::http::Timeouts;
use sandbox::{FCM_SERVICE_ACCOUNT, FcmTokenState, Running, Sandbox, SandboxConfig};
use serde_json::json;
use testkit::raw::{Answer, RawServer, http, nobody};

use crate::twilio::{fault, inbox};

fn config(url: &str) -> FcmConfig {
    FcmConfig {
        service_account: FCM_SERVICE_ACCOUNT.into(),
        base_url: url.parse().unwrap(),
        iid_url: url.parse().unwrap(),
        token_url: Some(format!("{url}/token").parse().unwrap()),
        timeouts: Timeouts { connect: Duration::from_millis(500), total: Duration::from_millis(1_000) },
    }
}

pub(crate) fn fcm(url: &str) -> Fcm {
    Fcm::new(config(url), Ambient::system()).unwrap()
}

async fn sandbox() -> Running {
    Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap()
}

pub(crate) fn device(kind: TargetKind, name: &str) -> PushTo {
    PushTo::Device(PushTarget::parse(kind, name).unwrap())
}

pub(crate) fn push(token: &str) -> PushMessage {
    PushMessage {
        to: device(TargetKind::Token, token),
        title: "Your listing is live".to_owned(),
        body: "“Red bicycle” is shown.".to_owned(),
        data: BTreeMap::from([("action".to_owned(), "/listings/1".to_owned())]),
        collapse_key: Some("listing.expiring:0123456789abcdef".to_owned()),
        ttl: Duration::from_secs(3_600),
        urgent: true,
    }
}

#[tokio::test]
async fn a_push_arrives_with_one_access_token_for_all() {
    let sandbox = sandbox().await;
    let fcm = fcm(&sandbox.http_url());
    let all: Vec<_> = (0..8).map(|_| push("token-of-asha")).collect();
    let sent = futures_util::future::join_all(all.iter().map(|message| fcm.send(message))).await;
    assert!(
        sent.iter().all(|sent| sent.as_ref().unwrap().name.starts_with("projects/dgt-sandbox/messages/"))
    );
    assert_eq!(sandbox.fcm_access_tokens(), 1, "eight at once asked for one");
    let inbox = inbox(&sandbox, "push").await;
    assert_eq!((inbox.len(), &inbox[0]["to"]), (8, &json!("token-of-asha")));
    assert_eq!(inbox[0]["subject"], "Your listing is live");
    let fid = PushMessage { to: device(TargetKind::Fid, "installation"), ..push("x") };
    fcm.send(&fid).await.unwrap();
    sandbox.stop().await;
}

#[tokio::test]
async fn an_access_token_is_renewed_before_it_ends() {
    // The client stops using a token five minutes before its end, so this one serves a single call.
    let config = SandboxConfig { fcm_token_life: 290, ..SandboxConfig::on_free_ports() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let fcm = fcm(&sandbox.http_url());
    for calls in 1..=3 {
        fcm.send(&push("token")).await.unwrap();
        assert_eq!(sandbox.fcm_access_tokens(), calls);
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn a_dead_token_is_told_from_everything_else() {
    let sandbox = sandbox().await;
    let fcm = fcm(&sandbox.http_url());
    for state in [FcmTokenState::Unregistered, FcmTokenState::SenderMismatch] {
        sandbox.set_fcm_token("token-1", state);
        assert_eq!(fcm.send(&push("token-1")).await, Err(PushError::DeviceGone));
    }
    assert_eq!(fcm.send(&push("x")).await, Err(PushError::DeviceGone), "it never was a token");
    for (request, expected) in [
        (json!({"error": 503}), SendError::NotSent { code: Some(503), retry_after: None }),
        (json!({"error": 500}), SendError::NotSent { code: Some(500), retry_after: None }),
        (
            json!({"error": 429}),
            SendError::NotSent { code: Some(429), retry_after: Some(Duration::from_secs(60)) },
        ),
        (json!({"error": 401}), SendError::Faulty { code: 401 }),
        (json!({"error": 403}), SendError::Misconfigured { code: 403 }),
        (json!({"error": 502}), SendError::Failed { code: 502 }),
        (json!({"drop": true}), SendError::Unknown),
        (json!({"delayMs": 2_000}), SendError::Unknown),
    ] {
        let mut request = request;
        request["target"] = json!("fcm");
        request["times"] = json!(1);
        fault(&sandbox, request).await;
        assert_eq!(fcm.send(&push("token")).await, Err(PushError::Send(expected)));
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn without_an_access_token_nothing_was_sent() {
    let not_sent = |code| PushError::Send(SendError::NotSent { code, retry_after: None });
    for (answer, error) in [
        (http(503, "", b""), not_sent(Some(503))),
        (http(200, "", b"garbage"), not_sent(None)),
        (Answer::HangUp, not_sent(None)),
        (Answer::Silence, not_sent(None)),
        (
            http(400, "", br#"{"error":"invalid_grant"}"#),
            PushError::Send(SendError::Misconfigured { code: 400 }),
        ),
        (
            http(307, "location: http://127.0.0.1:1/\r\n", b""),
            PushError::Send(SendError::Misconfigured { code: 307 }),
        ),
    ] {
        let server = RawServer::start(answer).await;
        assert_eq!(fcm(&server.url()).send(&push("token")).await, Err(error));
        assert_eq!(server.connections(), 1);
    }
    let url = format!("http://{}", nobody().await);
    assert_eq!(fcm(&url).send(&push("token")).await, Err(not_sent(None)));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_sent() {
    let sandbox = sandbox().await;
    let large = PushMessage { body: "x".repeat(4_096), ..push("token") };
    let result = fcm(&sandbox.http_url()).send(&large).await;
    assert_eq!(result, Err(PushError::Send(SendError::Refused { code: 400 })));
    assert_eq!(sandbox.fcm_access_tokens(), 0);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_topic_is_changed_for_many() {
    let sandbox = sandbox().await;
    let fcm = fcm(&sandbox.http_url());
    sandbox.set_fcm_token("gone", FcmTokenState::Unregistered);
    let mut tokens: Vec<_> = (0..1_500).map(|n| format!("token-{n}").into()).collect();
    tokens.push("gone".into());
    let news = PushTopic::parse("news").unwrap();
    let results = fcm.change_topic(TopicChange::Subscribe, &news, &tokens).await.unwrap();
    assert_eq!(results.len(), 1_501);
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1_500);
    assert_eq!(results[1_500], Err(TopicError::Gone));
    assert_eq!(sandbox.fcm_topic("news").len(), 1_500);
    fcm.change_topic(TopicChange::Unsubscribe, &news, &tokens[..1_000]).await.unwrap();
    assert_eq!(sandbox.fcm_topic("news").len(), 500);
    assert!(PushTopic::parse("no name").is_err() && PushTopic::parse("").is_err());

    fcm.send(&PushMessage { to: PushTo::Topic(news), ..push("x") }).await.unwrap();
    let pushed = inbox(&sandbox, "push").await;
    let told = |token: &str| pushed.iter().filter(|one| one["to"] == token).count();
    let some = ["token-999", "token-1000", "token-1499"].map(told);
    assert_eq!((pushed.len(), some), (500, [0, 1, 1]), "who is subscribed hears it");
    let empty = PushTo::Topic(PushTopic::parse("nobody").unwrap());
    fcm.send(&PushMessage { to: empty, ..push("x") }).await.unwrap();
    sandbox.stop().await;
}

#[tokio::test]
async fn credentials_do_not_cross_a_network_in_the_clear() {
    let base = config("http://127.0.0.1:4010");
    for broken in [
        FcmConfig { base_url: "http://fcm.example".parse().unwrap(), ..base.clone() },
        FcmConfig { iid_url: "http://iid.example".parse().unwrap(), ..base.clone() },
        FcmConfig { token_url: Some("http://oauth.example/token".parse().unwrap()), ..base.clone() },
    ] {
        assert!(Fcm::new(broken, Ambient::system()).is_err());
    }
    assert!(Fcm::new(FcmConfig::google(FCM_SERVICE_ACCOUNT.into()).unwrap(), Ambient::system()).is_ok());
    let fcm = Fcm::new(base.clone(), Ambient::system()).unwrap();
    assert!(!format!("{fcm:?}{base:?}").contains("PRIVATE KEY"));
}

/// A deadline for all that wait, not one after the other: else pushes would hold the places of other messages for long.
#[tokio::test]
async fn all_that_wait_for_an_access_token_give_up_together() {
    let server = RawServer::start(Answer::Silence).await;
    let fcm = fcm(&server.url());
    let all: Vec<_> = (0..6).map(|_| push("token")).collect();
    let sent = futures_util::future::join_all(all.iter().map(|message| fcm.send(message))).await;
    let not_sent = PushError::Send(SendError::NotSent { code: None, retry_after: None });
    assert!(sent.iter().all(|sent| sent.as_ref() == Err(&not_sent)), "{sent:?}");
    assert_eq!(server.connections(), 1, "one asked for all of them");
    assert_eq!(fcm.send(&push("token")).await, Err(not_sent));
    assert_eq!(server.connections(), 2, "whoever comes later asks anew");
}
