//! Every failure is an RFC 9457 problem with a code, a request id, and the fields it concerns.

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::{Scope, on_every_engine};

use crate::support::TestApp;

on_every_engine! { Scope::All =>
    async fn an_unknown_path_is_a_404_problem(db: TestDb) {
        let app = TestApp::start(db).await;
        let answer = app.get("/api/nothing").header("x-request-id", "given-by-client").send().await;
        let answer = answer.problem(StatusCode::NOT_FOUND, "not_found");
        assert_eq!(answer.header("x-request-id"), "given-by-client");
        assert_eq!(answer.body["requestId"], "given-by-client");
        assert_eq!((answer.text("/type"), answer.text("/instance")), ("/problems/not_found".into(), "/api/nothing".into()));
        app.stop().await;
    }

    async fn a_known_path_with_another_method_is_405_and_says_what_it_takes(db: TestDb) {
        let app = TestApp::start(db).await;
        let answer = app.delete("/api/auth/send-otp").send().await;
        assert_eq!(answer.problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed").header("allow"), "POST");
        let answer = app.call(Method::TRACE, "/api/categories").send().await;
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").contains("GET, HEAD") || answer.header("allow").contains("GET"), "{answer:?}");
        app.stop().await;
    }

    async fn a_body_that_is_no_json_is_refused_by_what_is_wrong_with_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let path = "/api/auth/send-otp";
        app.post(path).raw("text/plain", "x").send().await.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
        app.post(path).raw("application/json", "{").send().await.problem(StatusCode::BAD_REQUEST, "malformed_json");
        let huge = format!("{{\"phone\": \"{}\"}}", "9".repeat(300_000));
        app.post(path).raw("application/json", huge).send().await.problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large");
        let unknown = json!({ "phone": "+919876543210", "admin": true });
        let answer = app.post(path).json(&unknown).send().await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!(answer.fields(), ["admin"]);
        let wrong = json!({ "phone": 7 });
        let answer = app.post(path).json(&wrong).send().await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!(answer.fields(), ["phone"]);
        app.stop().await;
    }

    async fn an_unknown_query_parameter_is_named(db: TestDb) {
        let app = TestApp::start(db).await;
        let answer = app.get("/api/listings?colour=red").send().await;
        assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["colour"]);
        let answer = app.get("/api/listings?limit=101").send().await;
        assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["limit"]);
        app.stop().await;
    }
}
