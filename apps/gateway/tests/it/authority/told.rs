//! Things of which people are told, and what goes to partners.

use notify::{AnnouncementEvent, Category, HookEvent};
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::Cast;
use crate::support::TestApp;

pub(super) async fn notification(app: &TestApp, cast: &Cast) -> String {
    app.tell(cast.person("owner")).await.notification.unwrap().to_string()
}

pub(super) async fn dead_delivery(app: &TestApp, cast: &Cast) -> String {
    // The owner may have switched such mails off by the link of another cell.
    let on =
        notify::Preference { category: Category::Wallet, channel: notify::Channel::Email, enabled: true };
    let owner = cast.person("owner").user_id.parse().unwrap();
    let wanted = notify::NewChoices { preferences: vec![on], ..notify::NewChoices::default() };
    app.state.market.notify.choose(owner, &wanted).await.unwrap();
    let told = app.tell(cast.person("owner")).await;
    let id = told.deliveries.iter().find(|one| one.channel == notify::Channel::Email).unwrap().id;
    give_up(app, "notification_deliveries", id.to_string()).await
}

/// Ends a row as if it had been tried as often as it may be.
async fn give_up(app: &TestApp, table: &str, id: String) -> String {
    let sql = format!("UPDATE {table} SET status = 'dead', due_at = NULL WHERE id = ?");
    let uuid: uuid::Uuid = id.parse().unwrap();
    let update = app.state.db.engine().statement(&sql, [uuid.into()]);
    let done = async |txn: &sea_orm::DatabaseTransaction| {
        Ok::<_, store::StoreError>(txn.execute_raw(update.clone()).await?.rows_affected())
    };
    assert_eq!(app.state.db.in_txn(done).await.unwrap(), 1);
    id
}

pub(super) fn unsubscribe_token(app: &TestApp, cast: &Cast) -> String {
    let owner = cast.person("owner").user_id.parse().unwrap();
    let link = app.state.market.notify.unsubscribe_link(owner, Category::Wallet);
    link.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned()
}

pub(super) async fn device(app: &TestApp, cast: &Cast) -> String {
    let token = app.state.ambient.new_uuid().simple().to_string();
    let body = json!({ "platform": "ios", "kind": "token", "token": token });
    let made = app.post("/api/devices").bearer(cast.person("owner")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

pub(super) async fn announcement(app: &TestApp, cast: &Cast) -> String {
    let body = json!({
        "titleEn": "Festival week", "bodyEn": "Boosts cost half until Sunday.", "audience": { "type": "all" },
        "inApp": true, "push": false, "dismissible": true,
    });
    let made = app.post("/api/announcements").bearer(cast.person("ADMIN")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

pub(super) async fn scheduled(app: &TestApp, cast: &Cast) -> String {
    let id = announcement(app, cast).await;
    let notify = &app.state.market.notify;
    let (system, event) = (kernel::Caller::system("test"), AnnouncementEvent::Schedule);
    notify.move_announcement(&system, id.parse().unwrap(), event, None).await.unwrap();
    id
}

pub(super) async fn shown(app: &TestApp, cast: &Cast) -> String {
    let id = scheduled(app, cast).await;
    assert!(app.state.market.notify.begin_fan_out(id.parse().unwrap()).await.unwrap().is_some());
    id
}

pub(super) async fn webhook(app: &TestApp, cast: &Cast, topic: &str) -> String {
    let body = json!({ "url": "https://partner.example.com/hooks", "topics": [topic] });
    let made = app.post("/api/webhooks").bearer(cast.person("ADMIN")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

pub(super) async fn webhook_delivery(app: &TestApp, cast: &Cast) -> String {
    let kind = format!("test.{}", app.state.ambient.new_uuid().simple());
    webhook(app, cast, &kind).await;
    let (id, at) = (app.state.ambient.new_id(), app.state.ambient.now());
    let event = HookEvent { id, sequence: 1, subject: "user:nobody".to_owned(), kind, at, data: json!({}) };
    let notify = &app.state.market.notify;
    let planned = app.state.db.in_txn(async |txn| notify.plan_hooks_in_txn(txn, &event).await).await.unwrap();
    // Endpoints of other cells that take everything got it, too; theirs will do as well.
    give_up(app, "hook_deliveries", planned[0].id.to_string()).await
}
