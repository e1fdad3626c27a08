//! What was given up in the background, over HTTP: seen by administrators, tried again on record.

use kernel::TypedId;
use reqwest::StatusCode;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use store::{NewEvent, NewJob, StoreError, append_event_in_txn, audit, enqueue_in_txn};
use testkit::{Scope, on_every_engine};
use uuid::Uuid;

use crate::support::TestApp;

/// An event that was given up, as the relay leaves it.
pub(crate) async fn dead_event(app: &TestApp) -> Uuid {
    let db = &app.state.db;
    let id = db
        .in_txn(async |txn| {
            let event =
                NewEvent { subject: "listing:1".to_owned(), kind: "listing.sold", payload: json!({ "title": "private" }) };
            let id = append_event_in_txn(txn, &app.state.ambient, event).await?;
            let give_up = db.engine().statement(
                "UPDATE outbox_events SET due_at = NULL, dead_at = ?, attempt = 12, last_error = 'no room' WHERE id = ?",
                [app.state.ambient.now().into(), id.uuid().into()],
            );
            txn.execute_raw(give_up).await?;
            Ok::<_, StoreError>(id)
        })
        .await
        .unwrap();
    id.uuid()
}

/// A job of that kind which was given up, as a worker leaves it.
pub(crate) async fn dead_job(app: &TestApp, kind: &'static str) -> Uuid {
    let db = &app.state.db;
    let given_up = async |txn: &DatabaseTransaction| {
        let id = enqueue_in_txn(txn, &app.state.ambient, NewJob::new(kind, json!({}))).await?.unwrap();
        let give_up = db.engine().statement(
            "UPDATE jobs SET state = 'dead', due_at = NULL, finished_at = ?, attempt = 8, last_error = 'no room' WHERE id = ?",
            [app.state.ambient.now().into(), id.uuid().into()],
        );
        txn.execute_raw(give_up).await?;
        Ok::<_, StoreError>(id.uuid())
    };
    db.in_txn(given_up).await.unwrap()
}

on_every_engine! { Scope::All =>
    async fn administrators_see_what_was_given_up_and_try_it_again_on_record(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(kernel::Role::Admin).await;
        let id = dead_event(&app).await;
        let list = app.get("/api/dead-letters").bearer(&admin).send().await.expect(StatusCode::OK);
        let letter = list.body["data"].as_array().unwrap().iter().find(|one| one["id"] == id.to_string()).unwrap().clone();
        assert_eq!((&letter["kind"], &letter["name"]), (&json!("EVENT"), &json!("listing.sold")));
        assert_eq!((&letter["attempts"], &letter["lastError"]), (&json!(12), &json!("no room")));
        assert!(letter.get("payload").is_none(), "what it says is nobody's business here");

        let replay = format!("/api/dead-letters/{id}/replay");
        app.post(&replay).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.post(&replay).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "not_found");
        let unknown = format!("/api/dead-letters/{}/replay", app.state.ambient.new_uuid());
        app.post(&unknown).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "not_found");
        let list = app.get("/api/dead-letters").bearer(&admin).send().await;
        assert_eq!(list.body["data"], json!([]));
        let records = audit::of_subject(app.state.db.reader().unwrap(), "event", &id.to_string()).await.unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].action, "dead_letter.replayed");
        app.stop().await;
    }

    /// The job is an announcement's round, whose work is seen by what it tells.
    async fn a_job_that_was_given_up_is_done_when_it_is_replayed(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(kernel::Role::Admin).await;
        let body = json!({
            "titleEn": "Festival week", "bodyEn": "Boosts cost half.", "audience": { "type": "all" }, "dismissible": true,
            "inApp": true, "push": false,
        });
        let made = app.post("/api/announcements").bearer(&admin).json(&body).send().await;
        let path = format!("/api/announcements/{}", made.expect(StatusCode::CREATED).text("/id"));
        app.post(&format!("{path}/schedule")).bearer(&admin).send().await.expect(StatusCode::OK);
        let id = dead_job(&app, "notify.announce").await;
        app.run_jobs().await;
        let status = async || app.get(&path).bearer(&admin).send().await.expect(StatusCode::OK).text("/status");
        assert_eq!(status().await, "scheduled", "nobody tries it any more");

        let list = app.get("/api/dead-letters").bearer(&admin).send().await.expect(StatusCode::OK);
        let letter = &list.body["data"][0];
        assert_eq!((letter["id"].as_str(), &letter["kind"]), (Some(id.to_string().as_str()), &json!("JOB")));
        assert_eq!((&letter["name"], &letter["attempts"]), (&json!("notify.announce"), &json!(8)));
        let replay = format!("/api/dead-letters/{id}/replay");
        app.post(&replay).bearer(&admin).send().await.expect(StatusCode::NO_CONTENT);
        app.post(&replay).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "not_found");
        app.run_jobs().await;
        assert_eq!(status().await, "sent");
        let list = app.get("/api/dead-letters").bearer(&admin).send().await;
        assert_eq!(list.body["data"], json!([]));
        let records = audit::of_subject(app.state.db.reader().unwrap(), "job", &id.to_string()).await.unwrap();
        assert_eq!((records.len(), records[0].action.as_str()), (1, "dead_letter.replayed"));
        app.stop().await;
    }
}
