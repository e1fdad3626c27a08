//! Firebase Cloud Messaging as it is over the wire.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use sandbox::{FCM_PROJECT, FCM_SERVICE_ACCOUNT, SandboxConfig};
use serde_json::{Value, json};

use crate::bench::{self, Bench};

const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn account() -> Value {
    serde_json::from_str(FCM_SERVICE_ACCOUNT).unwrap()
}

fn claims() -> Value {
    let now = kernel::Ambient::system().now().timestamp();
    json!({
        "iss": account()["client_email"],
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + 3_600,
    })
}

fn signed(claims: &Value) -> String {
    let account = account();
    let key = EncodingKey::from_rsa_pem(account["private_key"].as_str().unwrap().as_bytes()).unwrap();
    encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

async fn exchange(bench: &Bench, grant: &str, assertion: &str) -> (u16, Value) {
    let form = [("grant_type", grant), ("assertion", assertion)];
    let answer = bench.request(Method::POST, "/token").form(&form).send().await.unwrap();
    (answer.status().as_u16(), bench::json(answer).await)
}

async fn access(bench: &Bench) -> String {
    let (status, granted) = exchange(bench, GRANT, &signed(&claims())).await;
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")));
    granted["access_token"].as_str().unwrap().to_owned()
}

async fn send(bench: &Bench, access: &str, message: Value) -> (u16, Value) {
    let path = format!("/v1/projects/{FCM_PROJECT}/messages:send");
    let request = bench.request(Method::POST, &path).bearer_auth(access).json(&json!({"message": message}));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), bench::json(answer).await)
}

fn push(token: &str) -> Value {
    json!({"token": token, "notification": {"title": "Hello", "body": "World"}, "data": {"kind": "x"}})
}

/// Firebase's own code, and whether fields are named.
fn details(error: &Value) -> (Option<String>, bool) {
    let details = error["error"]["details"].as_array().cloned().unwrap_or_default();
    let of =
        |kind: &str| details.iter().find(|detail| detail["@type"] == format!("type.googleapis.com/{kind}"));
    let own =
        of("google.firebase.fcm.v1.FcmError").map(|detail| detail["errorCode"].as_str().unwrap().to_owned());
    (own, of("google.rpc.BadRequest").is_some())
}

#[tokio::test]
async fn a_push_lands_in_the_inbox() {
    let bench = Bench::open().await;
    let access = access(&bench).await;
    let (status, sent) = send(&bench, &access, push("token-of-asha")).await;
    assert_eq!(status, 200);
    assert!(sent["name"].as_str().unwrap().starts_with("projects/dgt-sandbox/messages/"), "{sent}");
    let fid = json!({"fid": "installation", "notification": {"title": "Hello", "body": "World"}});
    assert_eq!(send(&bench, &access, fid).await.0, 200);
    let inbox = bench.inbox("?channel=push&to=token-of-asha").await;
    assert_eq!(inbox.len(), 1);
    assert_eq!((&inbox[0]["subject"], &inbox[0]["body"]), (&json!("Hello"), &json!("World")));
    assert_eq!(bench.inbox("?channel=push").await.len(), 2);
}

#[tokio::test]
async fn an_assertion_must_be_ours_for_google_and_short() {
    let bench = Bench::open().await;
    let changed = |field: &str, value: Value| {
        let mut claims = claims();
        claims[field] = value;
        signed(&claims)
    };
    let now = claims()["iat"].as_i64().unwrap();
    for (assertion, error) in [
        ("".to_owned(), "invalid_grant"),
        (format!("{}x", signed(&claims())), "invalid_grant"),
        (changed("iss", json!("mallory@example.in")), "invalid_grant"),
        (changed("aud", json!("https://example.in/token")), "invalid_grant"),
        (changed("exp", json!(now + 3_601)), "invalid_grant"),
        (changed("exp", json!(now - 4_000)), "invalid_grant"),
        (changed("iat", json!(now + 4_000)), "invalid_grant"),
        (
            changed("scope", json!("https://www.googleapis.com/auth/cloud-platform.read-only")),
            "invalid_scope",
        ),
    ] {
        let (status, answer) = exchange(&bench, GRANT, &assertion).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{answer}");
    }
    assert_eq!(exchange(&bench, "password", &signed(&claims())).await.1["error"], "unsupported_grant_type");
    // Signed by a key that is shared, as none of ours is.
    let hmac = encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(b"x")).unwrap();
    assert_eq!(exchange(&bench, GRANT, &hmac).await.0, 400);
}

#[tokio::test]
async fn only_a_token_that_holds_opens_the_project() {
    let bench = Bench::with(SandboxConfig { fcm_token_life: 0, ..SandboxConfig::on_free_ports() }).await;
    let expired = access(&bench).await;
    for access in ["", "ya29.made-up", &expired] {
        let (status, error) = send(&bench, access, push("token")).await;
        assert_eq!((status, &error["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    }
    let bench = Bench::open().await;
    let access = access(&bench).await;
    let request = bench.request(Method::POST, "/v1/projects/another/messages:send").bearer_auth(access);
    let answer = request.json(&json!({"message": push("token")})).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    assert_eq!(details(&bench::json(answer).await), (None, false));
}

#[tokio::test]
async fn a_wrong_message_is_told_by_its_fields() {
    let bench = Bench::open().await;
    let access = access(&bench).await;
    let with = |field: &str, value: Value| {
        let mut message = push("token");
        message[field] = value;
        message
    };
    for message in [
        with("data", json!({"n": 5})),
        with("data", json!({"nested": {"a": "b"}})),
        with("data", json!({"from": "x"})),
        with("data", json!({"long": "x".repeat(4_096)})),
        with("notification", json!({"title": "x", "titel": "y"})),
        with("priority", json!("high")),
        with("topic", json!("news")),
        with("android", json!({"ttl": 60})),
        with("android", json!({"priority": "URGENT"})),
        with("apns", json!({"headers": {"apns-collapse-id": "x".repeat(65)}})),
        with("webpush", json!({"headers": {"TTL": 60}})),
        json!({"notification": {"title": "x"}}),
        json!({"topic": "no spaces"}),
        json!("x"),
    ] {
        let (status, error) = send(&bench, &access, message.clone()).await;
        assert_eq!((status, &error["error"]["status"]), (400, &json!("INVALID_ARGUMENT")), "{message}");
        assert!(details(&error).1, "{message}: {error}");
    }
    let full = with("data", json!({"d": "x".repeat(4_096 - "HelloWorld".len() - 1)}));
    assert_eq!(send(&bench, &access, full).await.0, 200);
    assert_eq!(bench.inbox("").await.len(), 1);
}

#[tokio::test]
async fn a_dead_token_is_told_by_its_code() {
    let bench = Bench::open().await;
    let access = access(&bench).await;
    for (state, status, code) in
        [("unregistered", 404, "UNREGISTERED"), ("senderMismatch", 403, "SENDER_ID_MISMATCH")]
    {
        let set = json!({"token": "token-1", "state": state});
        let answer = bench.request(Method::POST, "/control/fcm/tokens").json(&set).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204);
        let (told, error) = send(&bench, &access, push("token-1")).await;
        assert_eq!((told, details(&error)), (status, (Some(code.to_owned()), false)));
    }
    let (status, error) = send(&bench, &access, push("a b")).await;
    assert_eq!((status, details(&error)), (400, (Some("INVALID_ARGUMENT".to_owned()), false)));
    assert!(bench.inbox("").await.is_empty());
}

#[tokio::test]
async fn it_misbehaves_as_told() {
    let bench = Bench::open().await;
    let access = access(&bench).await;
    for (status, code) in
        [(429, "QUOTA_EXCEEDED"), (503, "UNAVAILABLE"), (500, "INTERNAL"), (401, "THIRD_PARTY_AUTH_ERROR")]
    {
        bench.set_fault(&json!({"target": "fcm", "error": status, "times": 1})).await;
        let (told, error) = send(&bench, &access, push("token")).await;
        assert_eq!((told, details(&error).0.as_deref()), (status, Some(code)));
    }
    bench.set_fault(&json!({"target": "fcm", "duplicate": true, "times": 1})).await;
    send(&bench, &access, push("token")).await;
    assert_eq!(bench.inbox("").await.len(), 2);
    bench.set_fault(&json!({"target": "fcm", "drop": true, "times": 1})).await;
    let path = format!("/v1/projects/{FCM_PROJECT}/messages:send");
    let request =
        bench.request(Method::POST, &path).bearer_auth(&access).json(&json!({"message": push("token")}));
    assert!(request.send().await.is_err());
    assert_eq!(bench.inbox("").await.len(), 2);
}

#[tokio::test]
async fn a_topic_reaches_its_subscribers() {
    let bench = Bench::open().await;
    let access = access(&bench).await;
    bench.running.set_fcm_token("gone", sandbox::FcmTokenState::Unregistered);
    let change = async |method: &str, body: Value, header: &str| {
        let request = bench.request(Method::POST, &format!("/iid/v1:{method}")).bearer_auth(&access);
        let answer = request.header("access_token_auth", header).json(&body).send().await.unwrap();
        (answer.status().as_u16(), bench::json(answer).await)
    };
    let both = json!({"to": "/topics/news", "registration_tokens": ["one", "gone", "two"]});
    let (status, results) = change("batchAdd", both.clone(), "true").await;
    assert_eq!((status, results), (200, json!({"results": [{}, {"error": "NOT_FOUND"}, {}]})));
    assert_eq!(bench.running.fcm_topic("news"), ["one", "two"]);
    let news = json!({"topic": "news", "notification": {"title": "Hello", "body": "All"}});
    assert_eq!(send(&bench, &access, news).await.0, 200);
    assert_eq!(bench.inbox("?channel=push").await.len(), 2);
    change("batchRemove", json!({"to": "/topics/news", "registration_tokens": ["one"]}), "true").await;
    assert_eq!(bench.running.fcm_topic("news"), ["two"]);
    for (body, header) in [
        (both, "false"),
        (json!({"to": "news", "registration_tokens": ["one"]}), "true"),
        (json!({"to": "/topics/news", "registration_tokens": []}), "true"),
        (json!({"to": "/topics/news", "registration_tokens": vec!["x"; 1_001]}), "true"),
    ] {
        assert_eq!(change("batchAdd", body, header).await.0, 400);
    }
}
