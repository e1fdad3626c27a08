//! What was given up in the background, over HTTP: seen by administrators, tried again on record.

use kernel::TypedId;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::{NewEvent, StoreError, append_event_in_txn, audit};
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
}
