//! Somebody who is cut off while the server still lets them into their streams.

use kernel::Role;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use store::StoreError;
use testkit::{Engine, Scope, TestDb};
use tokio::sync::Notify;

use super::client::Client;
use super::{bonus, relay, user_stream};
use crate::support::{Session, TestApp};

/// A table that nobody can read for a while.
#[derive(Default)]
struct Closed {
    is_closed: Notify,
    open: Notify,
}

impl Closed {
    async fn keep(&self, db: &TestDb, table: &str) {
        db.in_txn(async |txn| {
            txn.execute_unprepared(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await?;
            self.is_closed.notify_one();
            self.open.notified().await;
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    }
}

/// Waits until somebody waits for the table: of this database, as all that are copies of one have the same tables' numbers.
async fn waited_for(db: &TestDb, table: &str) {
    let sql = format!(
        "SELECT 1 AS one FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE NOT l.granted AND l.relation = CAST('{table}' AS regclass) AND d.datname = current_database()"
    );
    while db.reader().unwrap().query_one_raw(db.engine().statement(&sql, [])).await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn broadcast(app: &TestApp, admin: &Session) {
    let body = json!({ "titleEn": "To everybody", "bodyEn": "Who is connected hears this." });
    let sent = app.post("/api/announcements/broadcast").bearer(admin).json(&body).send().await;
    sent.expect(StatusCode::ACCEPTED);
    relay(app).await;
}

/// PostgreSQL alone can hold the door open: the client is in its own stream, and not yet in that of everybody, when its
/// connection ends. It comes back by what it was given, before the door is closed or after.
async fn whoever_is_cut_between_two_streams_hears_both_afterwards(comes_back_first: bool) {
    let db = TestDb::start(Engine::Postgres, Scope::All).await;
    let app = TestApp::start(&db).await;
    let admin = app.staff(Role::Admin).await;
    let member = app.member().await;
    broadcast(&app, &admin).await;
    bonus(&app, &admin, &member, 100).await;
    relay(&app).await;

    let (entries, heads) = (Closed::default(), Closed::default());
    let story = async {
        entries.is_closed.notified().await;
        let after = json!({ user_stream(&member): 0, "everyone": 0 });
        let auth = json!({ "token": member.access, "after": after });
        let mut client = Client::connect(&app, &auth).await.unwrap();
        // It reads what the person missed.
        waited_for(&db, "stream_entries").await;
        let second = async {
            heads.is_closed.notified().await;
            entries.open.notify_one();
            let heard = client.hears("wallet:updated").await;
            // It asks where everybody's stream is.
            waited_for(&db, "stream_heads").await;
            let pid = std::mem::take(&mut client.pid);
            drop(client);
            let mut auth = auth;
            auth["pid"] = pid;
            auth["offset"] = heard.offset;
            if !comes_back_first {
                heads.open.notify_one();
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            let back = Client::connect(&app, &auth).await.unwrap();
            heads.open.notify_one();
            back
        };
        let (back, ()) = tokio::join!(second, heads.keep(&db, "stream_heads"));
        back
    };
    let (mut back, ()) = tokio::join!(story, entries.keep(&db, "stream_entries"));
    back.hears("ready").await;
    broadcast(&app, &admin).await;
    let mut last = Value::Null;
    while last != json!(2) {
        last = back.hears("broadcast:new").await.meta["seq"].clone();
    }
    bonus(&app, &admin, &member, 100).await;
    relay(&app).await;
    back.hears("wallet:updated").await;
    app.stop().await;
    db.dispose().await;
}

#[tokio::test]
async fn whoever_is_cut_between_two_streams_and_comes_back_at_once_hears_both() {
    whoever_is_cut_between_two_streams_hears_both_afterwards(true).await;
}

#[tokio::test]
async fn whoever_is_cut_between_two_streams_and_comes_back_later_hears_both() {
    whoever_is_cut_between_two_streams_hears_both_afterwards(false).await;
}
