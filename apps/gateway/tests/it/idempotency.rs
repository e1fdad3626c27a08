//! `Idempotency-Key`: a request that is repeated acts once and is answered alike.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use kernel::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::authority::listing_body;
use crate::support::{Session, TestApp};

async fn open_category(app: &TestApp) -> String {
    let admin = app.staff(Role::Admin).await;
    let body = json!({ "slug": "anything", "name": "Anything", "autoApprove": true });
    app.post("/api/categories")
        .bearer(&admin)
        .json(&body)
        .send()
        .await
        .expect(StatusCode::CREATED)
        .text("/id")
}

async fn mine(app: &TestApp, seller: &Session) -> usize {
    let mine = app.get("/api/listings/mine").bearer(seller).send().await.expect(StatusCode::OK);
    mine.body["data"].as_array().unwrap().len()
}

on_every_engine! { Scope::All =>
    async fn sixty_four_identical_posts_at_once_make_one_listing(db: TestDb) {
        let app = TestApp::start(db).await;
        let body = listing_body(&open_category(&app).await);
        let seller = app.member().await;
        let post = || app.post("/api/listings").bearer(&seller).header("idempotency-key", "one-key").json(&body).send();
        let answers = join_all((0..64).map(|_| post())).await;
        assert!(answers.iter().all(|answer| answer.status == 201), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.bytes.clone()).collect();
        assert_eq!(bodies.len(), 1, "every answer is the first one");
        let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed") == "true").count();
        assert_eq!((replayed, mine(&app, &seller).await), (63, 1));
        app.stop().await;
    }

    async fn a_key_is_good_for_one_request_of_one_person(db: TestDb) {
        let app = TestApp::start(db).await;
        let body = listing_body(&open_category(&app).await);
        let (seller, other) = (app.member().await, app.member().await);
        let post = |who: &Session, body: &Value| app.post("/api/listings").bearer(who).header("idempotency-key", "\"k-1\"").json(body).send();
        post(&seller, &body).await.expect(StatusCode::CREATED);
        let mut changed = body.clone();
        changed["title"] = json!("Something else altogether");
        post(&seller, &changed).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        assert_eq!(post(&other, &body).await.expect(StatusCode::CREATED).header("idempotent-replayed"), "");
        assert_eq!((mine(&app, &seller).await, mine(&app, &other).await), (1, 1));
        let answer = app.post("/api/listings").bearer(&seller).header("idempotency-key", "with blank").json(&body).send().await;
        assert_eq!(answer.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["Idempotency-Key"]);
        app.stop().await;
    }

    async fn a_request_that_was_refused_leaves_its_key_free(db: TestDb) {
        let app = TestApp::start(db).await;
        let body = listing_body(&open_category(&app).await);
        let seller = app.member().await;
        let post = |body: &Value| app.post("/api/listings").bearer(&seller).header("idempotency-key", "again").json(body).send();
        let mut wrong = body.clone();
        wrong["photoIds"] = json!(["018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11"]);
        assert_eq!(post(&wrong).await.status, 400);
        post(&body).await.expect(StatusCode::CREATED);
        app.stop().await;
    }

    async fn what_was_answered_stays_answered_though_it_would_be_refused_now(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let category = open_category(&app).await;
        let body = listing_body(&category);
        let seller = app.member().await;
        let post = |key: &str, body: &Value| {
            app.post("/api/listings").bearer(&seller).header("idempotency-key", key).json(body).send()
        };
        let first = post("kept", &body).await.expect(StatusCode::CREATED);

        let closed = json!({ "slug": "anything", "name": "Anything", "autoApprove": true, "active": false });
        let close = app.put(&format!("/api/categories/{category}")).bearer(&admin).json(&closed);
        close.send().await.expect(StatusCode::OK);
        app.clock.advance(chrono::TimeDelta::minutes(1));
        let refused = post("new", &body).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!(refused.fields(), ["categoryId"]);
        let again = post("kept", &body).await.expect(StatusCode::CREATED);
        assert_eq!((again.header("idempotent-replayed"), &again.bytes), ("true", &first.bytes));
        let mut changed = body.clone();
        changed["title"] = json!("Something else altogether");
        post("kept", &changed).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        assert_eq!(mine(&app, &seller).await, 1);
        app.stop().await;
    }
}
