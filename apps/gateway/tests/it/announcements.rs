//! Announcements over HTTP: written and scheduled by administrators, told to their audience alone, closed by people.

use kernel::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::support::{Session, TestApp};

fn written(audience: &Value) -> Value {
    json!({
        "titleEn": "Festival week", "bodyEn": "Boosts cost half until Sunday.", "action": "/boosts",
        "audience": audience, "inApp": true, "push": false, "dismissible": true,
    })
}

async fn draft(app: &TestApp, admin: &Session, audience: &Value) -> String {
    let made = app.post("/api/announcements").bearer(admin).json(&written(audience)).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

async fn active(app: &TestApp, member: &Session) -> Vec<Value> {
    let all = app.get("/api/announcements/active").bearer(member).send().await.expect(StatusCode::OK);
    all.body["data"].as_array().unwrap().clone()
}

on_every_engine! { Scope::All =>
    async fn an_announcement_reaches_its_audience_alone_until_it_is_closed(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (here, elsewhere) = (app.member().await, app.member().await);
        let pune = json!({ "city": "Pune" });
        app.put("/api/users/me").bearer(&here).json(&pune).send().await.expect(StatusCode::OK);
        let audience = json!({ "type": "city", "city": "pune" });
        let body = json!({ "audience": audience });
        let size = app.post("/api/announcements/dry-run").bearer(&admin).json(&body).send().await;
        assert_eq!(size.expect(StatusCode::OK).body, json!({ "reach": 1 }));
        let id = draft(&app, &admin, &audience).await;
        assert!(active(&app, &here).await.is_empty(), "a draft is nobody's");
        let path = format!("/api/announcements/{id}");
        app.post(&format!("{path}/schedule")).bearer(&admin).send().await.expect(StatusCode::OK);
        app.state.market.announce(id.parse().unwrap()).await.unwrap();
        let sent = app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((&sent.body["status"], &sent.body["reached"]), (&json!("sent"), &json!(1)));
        let shown = active(&app, &here).await;
        assert_eq!((shown.len(), &shown[0]["title"]), (1, &json!("Festival week")));
        assert!(active(&app, &elsewhere).await.is_empty());
        let inbox = app.get("/api/notifications?category=announcements").bearer(&here).send().await;
        assert_eq!(inbox.expect(StatusCode::OK).text("/data/0/title"), "Festival week");

        let dismiss = format!("{path}/dismiss");
        let foreign = app.post(&dismiss).bearer(&elsewhere).send().await;
        foreign.problem(StatusCode::NOT_FOUND, "announcement_not_found");
        for _ in 0..2 {
            app.post(&dismiss).bearer(&here).send().await.expect(StatusCode::NO_CONTENT);
        }
        assert!(active(&app, &here).await.is_empty());
        app.post(&format!("{path}/stop")).bearer(&admin).send().await.expect(StatusCode::OK);
        app.post(&dismiss).bearer(&here).send().await.problem(StatusCode::NOT_FOUND, "announcement_not_found");
        app.stop().await;
    }

    async fn only_a_draft_is_changed_and_each_fault_is_named(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let all = json!({ "type": "all" });
        let path = format!("/api/announcements/{}", draft(&app, &admin, &all).await);
        let change = async |seen: &str| {
            app.put(&path).bearer(&admin).header("if-match", seen).json(&written(&all)).send().await
        };
        assert_eq!(change("\"1\"").await.expect(StatusCode::OK).header("etag"), "\"2\"");
        change("\"1\"").await.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        app.post(&format!("{path}/schedule")).bearer(&admin).send().await.expect(StatusCode::OK);
        change("*").await.problem(StatusCode::CONFLICT, "announcement_not_draft");
        app.delete(&path).bearer(&admin).send().await.problem(StatusCode::CONFLICT, "announcement_not_draft");
        app.post(&format!("{path}/unschedule")).bearer(&admin).send().await.expect(StatusCode::OK);
        app.post(&format!("{path}/stop")).bearer(&admin).send().await.problem(StatusCode::CONFLICT, "announcement_state");
        app.delete(&path).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);

        for (field, value, named) in [
            ("titleEn", json!("x"), "titleEn"),
            ("action", json!("https://elsewhere.example/"), "action"),
            ("priority", json!(101), "priority"),
            ("audience", json!({ "type": "city", "city": "" }), "audience"),
            ("inApp", json!(false), "inApp"),
            ("colour", json!("red"), "colour"),
        ] {
            let mut body = written(&all);
            body[field] = value;
            let refused = app.post("/api/announcements").bearer(&admin).json(&body).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [named]);
        }
        app.stop().await;
    }
}
