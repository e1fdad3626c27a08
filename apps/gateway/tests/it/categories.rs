//! Categories over HTTP.

use kernel::{Phone, Role};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::support::TestApp;

async fn seeded(db: &testkit::TestDb) -> TestApp {
    let app = TestApp::start(db).await;
    app.state.market.seed(&Phone::parse("+919000000001").unwrap()).await.unwrap();
    app
}

fn slugs(nodes: &Value) -> Vec<&str> {
    nodes.as_array().unwrap().iter().map(|node| node["slug"].as_str().unwrap()).collect()
}

on_every_engine! { Scope::All =>
    async fn everybody_sees_the_tree_and_gets_it_once(db: TestDb) {
        let app = seeded(db).await;
        let tree = app.get("/api/categories/tree").send().await.expect(StatusCode::OK);
        assert_eq!(tree.header("content-type"), "application/json");
        assert_eq!(slugs(&tree.body), ["electronics", "vehicles", "property", "fashion", "furniture"]);
        assert_eq!(slugs(&tree.body[0]["children"]), ["mobiles", "laptops", "tablets", "tvs"]);
        let etag = tree.header("etag").to_owned();
        let again = app.get("/api/categories/tree").header("if-none-match", &etag).send().await;
        assert_eq!((again.status, again.bytes.len(), again.header("etag")), (304, 0, etag.as_str()));
        let list = app.get("/api/categories").send().await.expect(StatusCode::OK);
        assert_eq!(list.body["data"].as_array().unwrap().len(), 21);
        assert_eq!(list.body["pagination"]["total"], 21);
        let mobiles = list.body["data"].as_array().unwrap().iter().find(|one| one["slug"] == "mobiles").unwrap();
        let path = format!("/api/categories/{}", mobiles["id"].as_str().unwrap());
        let one = app.get(&path).send().await.expect(StatusCode::OK);
        assert_eq!(&one.body, mobiles);
        let etag = one.header("etag").to_owned();
        assert_eq!(app.get(&path).header("if-none-match", &etag).send().await.status, 304);
        app.stop().await;
    }

    async fn administrators_make_change_and_delete_categories(db: TestDb) {
        let app = seeded(db).await;
        let admin = app.staff(Role::Admin).await;
        let body = json!({
            "slug": "instruments", "name": "Instruments", "icon": "piano", "expiryDays": 45, "order": 9,
            "attributes": [{"name": "strings", "label": "Strings", "kind": "integer", "min": 1, "max": 50}],
        });
        let made = app.post("/api/categories").bearer(&admin).json(&body).send().await.expect(StatusCode::CREATED);
        let path = made.header("location").to_owned();
        assert_eq!((made.header("etag"), made.body["active"].as_bool()), ("\"1\"", Some(true)));
        let taken = app.post("/api/categories").bearer(&admin).json(&body).send().await;
        taken.problem(StatusCode::CONFLICT, "slug_taken");

        let change = json!({ "slug": "music", "name": "Music", "active": false });
        let changed = app.put(&path).bearer(&admin).header("if-match", "\"1\"").json(&change).send().await;
        assert_eq!(changed.expect(StatusCode::OK).header("etag"), "\"2\"");
        let late = app.put(&path).bearer(&admin).header("if-match", "\"1\"").json(&change).send().await;
        late.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        app.get(&path).send().await.problem(StatusCode::NOT_FOUND, "category_not_found");
        app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);

        let late = app.delete(&path).bearer(&admin).header("if-match", "\"1\"").send().await;
        late.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        app.delete(&path).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.delete(&path).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "category_not_found");
        let top = app.get("/api/categories/tree").send().await.body[0]["id"].as_str().unwrap().to_owned();
        let used = app.delete(&format!("/api/categories/{top}")).bearer(&admin).send().await;
        used.problem(StatusCode::CONFLICT, "category_in_use");
        app.stop().await;
    }

    async fn a_wrong_category_is_told_field_by_field(db: TestDb) {
        let app = seeded(db).await;
        let admin = app.staff(Role::Admin).await;
        let body = json!({
            "slug": "Not A Slug", "name": "x", "icon": "javascript:alert(1)", "expiryDays": 0,
            "attributes": [{"name": "1", "label": "", "kind": "choice"}],
        });
        let refused = app.post("/api/categories").bearer(&admin).json(&body).send().await;
        let refused = refused.problem(StatusCode::BAD_REQUEST, "invalid_input");
        let expected = [
            "slug", "name", "icon", "expiryDays", "attributes.0.name", "attributes.0.label", "attributes.0.options",
        ];
        assert_eq!(refused.fields(), expected);
        let body = json!({ "slug": "ok", "name": "Okay", "colour": "red" });
        let refused = app.post("/api/categories").bearer(&admin).json(&body).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["colour"]);
        let child = json!({ "slug": "ok", "name": "Okay", "parentId": "018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11" });
        let refused = app.post("/api/categories").bearer(&admin).json(&child).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["parentId"]);
        app.stop().await;
    }

    async fn nobody_else_touches_categories(db: TestDb) {
        let app = seeded(db).await;
        let member = app.member().await;
        let moderator = app.staff(Role::Moderator).await;
        let body = json!({ "slug": "mine", "name": "Mine" });
        let anonymous = app.post("/api/categories").json(&body).send().await;
        anonymous.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        for session in [&member, &moderator] {
            let refused = app.post("/api/categories").bearer(session).json(&body).send().await;
            refused.problem(StatusCode::FORBIDDEN, "forbidden");
        }
        app.stop().await;
    }
}
