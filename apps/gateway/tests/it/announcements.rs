//! Announcements over HTTP: written and scheduled by administrators, told to their audience alone, closed by people.

use std::time::{Duration, Instant};

use kernel::Role;
use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::{Value, json};
use store::StoreError;
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

async fn scheduled(app: &TestApp, admin: &Session, audience: &Value) -> String {
    let id = draft(app, admin, audience).await;
    app.post(&format!("/api/announcements/{id}/schedule")).bearer(admin).send().await.expect(StatusCode::OK);
    id
}

async fn active(app: &TestApp, member: &Session) -> Vec<Value> {
    let all = app.get("/api/announcements/active").bearer(member).send().await.expect(StatusCode::OK);
    all.body["data"].as_array().unwrap().clone()
}

/// So many people of Pune.
async fn town(app: &TestApp, people: u32) {
    let now = app.state.ambient.now();
    let rows: Vec<_> =
        (0..people).map(|_| "(?, ?, '', '', 'pune', 'en', 'USER', 'ACTIVE', 1, ?, ?)").collect();
    let values = (0..people).flat_map(|number| {
        let phone = format!("+9190{number:08}");
        [app.state.ambient.new_uuid().into(), phone.into(), now.into(), now.into()]
    });
    let insert = "INSERT INTO users (id, phone, name, name_folded, city_key, language, role, status, version, created_at, \
                  updated_at) VALUES ";
    write(app, &(insert.to_owned() + &rows.join(", ")), values.collect()).await;
}

async fn write(app: &TestApp, sql: &str, values: Vec<sea_orm::Value>) {
    let db = &app.state.db;
    let statement = db.engine().statement(sql, values);
    let written = async |txn: &DatabaseTransaction| {
        Ok::<_, StoreError>(txn.execute_raw(statement.clone()).await?.rows_affected())
    };
    assert!(db.in_txn(written).await.unwrap() > 0);
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

    async fn a_broadcast_under_one_key_is_said_once_and_answered_alike(db: TestDb) {
        let app = TestApp::start(db).await;
        let (admin, other) = (app.staff(Role::Admin).await, app.staff(Role::Admin).await);
        let said = json!({ "titleEn": "Back soon", "bodyEn": "Payments rest until noon." });
        let say = |who: &Session, key: &str, body: &Value| {
            app.post("/api/announcements/broadcast").bearer(who).header("idempotency-key", key).json(body).send()
        };
        let answers = futures_util::future::join_all((0..8).map(|_| say(&admin, "one", &said))).await;
        let mut events: Vec<_> =
            answers.into_iter().map(|answer| answer.expect(StatusCode::ACCEPTED).text("/eventId")).collect();
        events.dedup();
        assert_eq!(events.len(), 1, "{events:?}");
        let again = say(&admin, "one", &said).await.expect(StatusCode::ACCEPTED);
        assert_eq!((again.text("/eventId"), again.header("idempotent-replayed")), (events[0].clone(), "true"));
        let mut changed = said.clone();
        changed["bodyEn"] = json!("Payments rest until one.");
        say(&admin, "one", &changed).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused");
        let theirs = say(&other, "one", &said).await.expect(StatusCode::ACCEPTED).text("/eventId");
        assert_ne!(theirs, events[0], "a key is one person's");
        let kept = "SELECT id FROM outbox_events WHERE kind = 'broadcast.sent'";
        let kept = db.reader().unwrap().query_all_raw(db.engine().statement(kept, [])).await.unwrap();
        let told = "SELECT subject_id FROM audit_log WHERE action = 'broadcast.sent'";
        let told = db.reader().unwrap().query_all_raw(db.engine().statement(told, [])).await.unwrap();
        assert_eq!((kept.len(), told.len()), (2, 2));
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
            ("audience", json!({ "type": "city", "city": "" }), "audience.city"),
            ("audience", json!({ "type": "city" }), "audience.city"),
            ("audience", json!({ "type": "role", "role": "KING" }), "audience.role"),
            ("audience", json!({ "type": "segment", "segment": 7 }), "audience.segment"),
            ("audience", json!({ "type": "all", "city": "Pune" }), "audience.city"),
            ("audience", json!({ "type": "planet" }), "audience.type"),
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

    /// Each audience is told to exactly those whom it was counted as, and shown to them alone.
    async fn each_audience_is_picked_counted_and_shown_alike(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut admin = app.staff(Role::Admin).await;
        let places = [
            json!({ "city": " Navi Mumbai ", "state": "Maharashtra" }),
            json!({ "city": "navi mumbai", "state": "MAHARASHTRA" }),
            json!({ "city": "Pune", "state": "Maharashtra" }),
            json!({ "city": "Panaji", "state": "Goa" }),
        ];
        let mut people = Vec::new();
        for place in &places {
            let member = app.member().await;
            app.put("/api/users/me").bearer(&member).json(place).send().await.expect(StatusCode::OK);
            people.push(member);
        }
        let moderator = app.staff(Role::Moderator).await;
        app.refresh(&mut admin).await;
        app.step_up(&admin).await;
        let gone = app.member().await;
        app.put("/api/users/me").bearer(&gone).json(&places[2]).send().await.expect(StatusCode::OK);
        app.set_status(&admin, &gone, "BANNED").await;
        crate::realtime::listing(&app, &people[3], &admin).await;
        people.push(moderator);

        for (audience, covered) in [
            (json!({ "type": "city", "city": "NAVI Mumbai" }), vec![0, 1]),
            (json!({ "type": "city", "city": "Delhi" }), vec![]),
            (json!({ "type": "state", "state": "maharashtra" }), vec![0, 1, 2]),
            (json!({ "type": "role", "role": "MODERATOR" }), vec![4]),
            (json!({ "type": "segment", "segment": "sellers" }), vec![3]),
            (json!({ "type": "segment", "segment": "verified_sellers" }), vec![]),
        ] {
            let body = json!({ "audience": audience });
            let size = app.post("/api/announcements/dry-run").bearer(&admin).json(&body).send().await;
            assert_eq!(size.expect(StatusCode::OK).body, json!({ "reach": covered.len() }), "{audience}");
            let id = draft(&app, &admin, &audience).await;
            let path = format!("/api/announcements/{id}");
            app.post(&format!("{path}/schedule")).bearer(&admin).send().await.expect(StatusCode::OK);
            app.state.market.announce(id.parse().unwrap()).await.unwrap();
            let sent = app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);
            assert_eq!(sent.body["reached"], json!(covered.len()), "{audience}");
            for (index, person) in people.iter_mut().enumerate() {
                app.refresh(person).await;
                let shown = active(&app, person).await.iter().any(|one| one["id"] == json!(id));
                assert_eq!(shown, covered.contains(&index), "{audience}: {index}");
            }
        }
        // Whoever is there but for the one who sells and the one who is banned.
        let buyers = json!({ "audience": { "type": "segment", "segment": "buyers" } });
        let buyers = app.post("/api/announcements/dry-run").bearer(&admin).json(&buyers).send().await;
        let all = json!({ "audience": { "type": "all" } });
        let all = app.post("/api/announcements/dry-run").bearer(&admin).json(&all).send().await;
        assert_eq!(buyers.body["reach"].as_u64().unwrap() + 1, all.body["reach"].as_u64().unwrap());
        app.stop().await;
    }

    /// Two hundred people, then a tenth of a second for everything else that there is to do. Nobody here wants to hear it,
    /// so that the pauses are all that takes long.
    async fn a_fan_out_pauses_between_its_batches(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        town(&app, 2_000).await;
        for channel in ["in_app", "push"] {
            write(
                &app,
                "INSERT INTO notification_preferences (user_id, category, channel, enabled, updated_at) \
                 SELECT id, 'announcements', ?, ?, created_at FROM users WHERE city_key = 'pune'",
                vec![channel.into(), false.into()],
            )
            .await;
        }
        let id = scheduled(&app, &admin, &json!({ "type": "city", "city": "Pune" })).await;
        let begun = Instant::now();
        app.state.market.announce(id.parse().unwrap()).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
        let sent = app.get(&format!("/api/announcements/{id}")).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((&sent.body["status"], &sent.body["reached"]), (&json!("sent"), &json!(0)));
        app.stop().await;
    }

    /// Staff see how far it is, and whoever was not told when they stop it is never told.
    async fn a_fan_out_shows_how_far_it_is_and_stops_where_staff_stop_it(db: TestDb) {
        // Some three seconds of pauses alone: the stop comes long before the end.
        const PEOPLE: u32 = 6_001;
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        town(&app, PEOPLE).await;
        let id = scheduled(&app, &admin, &json!({ "type": "city", "city": "Pune" })).await;
        let path = format!("/api/announcements/{id}");
        let (market, announcement) = (app.state.market.clone(), id.parse().unwrap());
        let telling = tokio::spawn(async move { market.announce(announcement).await });
        let reached = async || {
            let seen = app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK);
            seen.body["reached"].as_u64().unwrap()
        };
        while reached().await == 0 {
            assert!(!telling.is_finished(), "{:?}", telling.await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app.post(&format!("{path}/stop")).bearer(&admin).send().await.expect(StatusCode::OK);
        telling.await.unwrap().unwrap();
        let told = reached().await;
        assert!(told.is_multiple_of(200) && told < u64::from(PEOPLE), "{told}");
        let rows = "SELECT id FROM notifications WHERE kind = 'announcement'";
        let rows = db.reader().unwrap().query_all_raw(db.engine().statement(rows, [])).await.unwrap();
        assert_eq!(rows.len(), usize::try_from(told).unwrap(), "what is counted is what was told");
        app.stop().await;
    }
}
