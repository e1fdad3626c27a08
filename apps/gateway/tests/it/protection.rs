//! Headers, origins, rate limits, client addresses, probes.

use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::json;
use testkit::{Scope, on_every_engine};

use crate::support::TestApp;

/// On every answer, whatever its status.
const PINNED: [(&str, &str); 12] = [
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-download-options", "noopen"),
    ("x-frame-options", "DENY"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-xss-protection", "0"),
];

on_every_engine! { Scope::All =>
    async fn every_answer_carries_the_pinned_headers(db: TestDb) {
        let app = TestApp::start(db).await;
        let answers = [
            (200, app.get("/livez").send().await),
            (400, app.get("/api/listings?limit=0").send().await),
            (401, app.get("/api/users/me").send().await),
            (404, app.get("/nowhere").send().await),
            (405, app.delete("/livez").send().await),
            (413, app.post("/api/auth/send-otp").raw("application/json", "x".repeat(400_000)).send().await),
        ];
        for (status, answer) in answers {
            assert_eq!(answer.status, status, "{answer:?}");
            for (name, value) in PINNED {
                assert_eq!(answer.header(name), value, "{name} on {status}");
            }
            assert!(!answer.header("x-request-id").is_empty());
            assert_eq!(answer.header("server"), "");
        }
        app.stop().await;
    }

    async fn only_listed_origins_may_call_from_a_browser(db: TestDb) {
        let app = TestApp::start_with(db, |config| config.server.cors_origins = vec!["https://dgt.example".into()]).await;
        for (origin, allowed) in [("https://dgt.example", "https://dgt.example"), ("https://evil.example", ""), ("null", "")] {
            let preflight = app
                .call(Method::OPTIONS, "/api/listings")
                .header("origin", origin)
                .header("access-control-request-method", "GET")
                .send()
                .await;
            assert_eq!(preflight.header("access-control-allow-origin"), allowed, "{origin}");
            assert_eq!(preflight.header("x-content-type-options"), "nosniff");
            let plain = app.get("/livez").header("origin", origin).send().await;
            assert_eq!(plain.header("access-control-allow-origin"), allowed, "{origin}");
        }
        app.stop().await;
    }

    async fn a_client_beyond_its_rate_is_told_how_long_to_wait(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.rate_limit.enabled = true;
            config.rate_limit.general_per_minute = 3;
            config.rate_limit.otp_per_minute = 1;
        })
        .await;
        let spoofed = |n: u32| app.get("/api/categories").header("x-forwarded-for", &format!("203.0.113.{n}")).header("forwarded", "for=1.2.3.4");
        for n in 0..3 {
            let answer = spoofed(n).send().await.expect(StatusCode::OK);
            assert_eq!(answer.header("ratelimit-policy"), "\"general\";q=3;w=60");
        }
        let refused = spoofed(99).send().await.problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
        assert!(refused.header("retry-after").parse::<u32>().unwrap() >= 1);
        assert!(refused.header("ratelimit").starts_with("\"general\";r=0;t="));
        let ask = || app.post("/api/auth/send-otp").json(&json!({ "phone": "+919876500000" }));
        ask().send().await.expect(StatusCode::OK);
        ask().send().await.problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
        app.get("/livez").send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn no_spelling_of_a_path_gets_around_its_rate(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.rate_limit.enabled = true;
            config.rate_limit.otp_per_minute = 1;
        })
        .await;
        let ask = |path: &str| app.post(path).json(&json!({ "phone": "+919876500001" })).send();
        ask("/api/auth/send-otp").await.expect(StatusCode::OK);
        for path in ["/%61pi/auth/send-otp", "/api/auth/send%2Dotp", "/api/%61uth/send-otp"] {
            ask(path).await.problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
        }
        app.stop().await;
    }

    async fn probes_tell_life_from_readiness(db: TestDb) {
        let app = TestApp::start(db).await;
        app.get("/livez").send().await.expect(StatusCode::OK);
        app.get("/readyz").send().await.expect(StatusCode::OK);
        app.get("/health").send().await.expect(StatusCode::OK);
        app.state.ready.store(false, std::sync::atomic::Ordering::SeqCst);
        app.get("/readyz").send().await.problem(StatusCode::SERVICE_UNAVAILABLE, "draining");
        app.get("/health").send().await.expect(StatusCode::OK);
        app.get("/livez").send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn metrics_are_for_this_host_or_for_the_token(db: TestDb) {
        let app = TestApp::start(db).await;
        app.get("/metrics").send().await.expect(StatusCode::OK);
        app.get("/metrics").header("x-forwarded-for", "203.0.113.7").send().await.problem(StatusCode::NOT_FOUND, "not_found");
        app.stop().await;
        let app = TestApp::start_with(db, |config| config.metrics.token = Some(SecretString::from("let-me-see"))).await;
        app.get("/metrics").send().await.problem(StatusCode::NOT_FOUND, "not_found");
        app.get("/metrics").token("let-me-see").send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn what_can_be_read_can_be_asked_for_its_headers(db: TestDb) {
        let app = TestApp::start(db).await;
        let answer = app.call(Method::HEAD, "/api/categories").send().await.expect(StatusCode::OK);
        assert!(answer.bytes.is_empty());
        app.stop().await;
    }
}
