//! The OpenAPI document and the page that shows it, both served from the binary.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;
use testkit::{Scope, on_every_engine};

use crate::support::TestApp;

on_every_engine! { Scope::All =>
    async fn the_document_and_its_page_are_served(db: TestDb) {
        let app = TestApp::start(db).await;
        let document = app.get("/api/openapi.json").send().await.expect(StatusCode::OK);
        assert!(document.text("/openapi").starts_with("3.1"));
        let page = app.get("/docs/").send().await.expect(StatusCode::OK);
        assert!(String::from_utf8(page.bytes.clone()).unwrap().contains("swagger-ui"));
        assert!(page.header("content-security-policy").contains("default-src 'self'"));
        app.stop().await;
    }

    /// Each operation of the document is answered by a route: none says that its path or method is unknown.
    async fn every_documented_operation_runs(db: TestDb) {
        let app = TestApp::start(db).await;
        for (method, path) in operations() {
            let path = path.replace("{id}", "not-an-id").replace("{name}", "nothing");
            let answer = app.call(method.to_uppercase().parse().unwrap(), &path).send().await;
            // A documented path without a route falls through to the answer for other methods.
            assert_ne!(answer.status, 405, "{method} {path} is documented and does not run: {answer:?}");
        }
        app.stop().await;
    }
}

fn document() -> Value {
    serde_json::from_str(&gateway::openapi::json().unwrap()).unwrap()
}

fn operations() -> Vec<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().clone();
    let mut all = Vec::new();
    for (path, item) in paths {
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "post", "put", "delete", "patch"].contains(&key.as_str()))
        {
            all.push((method.clone(), path.clone()));
        }
    }
    all
}

#[test]
fn every_operation_has_a_name_an_authority_and_a_description() {
    let document = document();
    let mut names = BTreeSet::new();
    for (method, path) in operations() {
        let operation = &document["paths"][&path][&method];
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} names two operations");
        assert!(operation["summary"].is_string() || operation["description"].is_string(), "{method} {path}");
        let authority = operation["x-authority"].as_str();
        assert!(authority.is_some(), "{method} {path} declares no authority");
        // An empty alternative means that nobody has to log in, though whoever has may see more.
        let ways = operation["security"].as_array().cloned().unwrap_or_default();
        let needs_login = !ways.is_empty() && !ways.contains(&serde_json::json!({}));
        assert_eq!(
            needs_login,
            !matches!(authority, Some("public" | "signed")),
            "{method} {path}: security and x-authority disagree"
        );
    }
}

#[test]
fn objects_that_clients_send_refuse_unknown_fields() {
    let document = document();
    for (method, path) in operations() {
        let body = &document["paths"][&path][&method]["requestBody"]["content"]["application/json"]["schema"];
        let Some(reference) = body["$ref"].as_str() else { continue };
        let schema = &document["components"]["schemas"][reference.rsplit('/').next().unwrap()];
        let forms = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
        for form in forms {
            assert_eq!(form["additionalProperties"], Value::Bool(false), "{method} {path}: {reference}");
        }
    }
}
