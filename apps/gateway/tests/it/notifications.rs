//! Notifications from the event to the device: told once, in people's own language and as they chose, and on record.

mod choices;
mod logged_out;
mod providers;
mod real_events;
mod reminders;
mod safety;
mod staff;

use kernel::Role;
use notify::{Kind, Language, NewNotification, Recipient, Told, twilio_signature};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::realtime::{bonus, relay};
use crate::support::{Session, TestApp, code_in};

/// A token that no other test has; its device is the member's.
async fn device(app: &TestApp, member: &Session) -> String {
    let token = format!("device-{}", app.state.ambient.new_uuid().simple());
    let body = json!({ "platform": "android", "kind": "token", "token": token });
    app.post("/api/devices").bearer(member).json(&body).send().await.expect(StatusCode::CREATED);
    token
}

/// The member's verified address.
async fn address(app: &TestApp, member: &Session) -> String {
    let email =
        format!("m{}@example.in", app.state.ambient.new_uuid().simple().to_string().get(..12).unwrap());
    let body = json!({ "email": email });
    app.post("/api/users/me/contact").bearer(member).json(&body).send().await.expect(StatusCode::OK);
    let body = json!({ "email": email, "otp": code_in(&app.message("email", &email).await) });
    let confirmed = app.post("/api/users/me/contact/confirm").bearer(member).json(&body).send().await;
    confirmed.expect(StatusCode::OK);
    email
}

/// Tells somebody something without anything having happened.
async fn tell(app: &TestApp, member: &Session, kind: Kind, key: &str) -> Told {
    let user = member.user_id.parse().unwrap();
    let recipient = Recipient { user, language: Language::English, has_phone: true, has_email: false };
    let params = json!({ "amount": { "amount": 100, "currency": "INR" } });
    let new = NewNotification { kind, event_key: key.to_owned(), params, action: None, only: None };
    let notify = &app.state.market.notify;
    let told = app.state.db.in_txn(async |txn| notify.notify_in_txn(txn, &recipient, &new).await);
    told.await.unwrap()
}

async fn list(app: &TestApp, member: &Session, query: &str) -> Vec<Value> {
    let path = format!("/api/notifications{query}");
    let page = app.get(&path).bearer(member).send().await.expect(StatusCode::OK);
    page.body["data"].as_array().unwrap().clone()
}

async fn unread(app: &TestApp, member: &Session) -> u64 {
    let count = app.get("/api/notifications/unread-count").bearer(member).send().await.expect(StatusCode::OK);
    count.body["unread"].as_u64().unwrap()
}

async fn choose(app: &TestApp, member: &Session, body: &Value) -> Value {
    let chosen = app.put("/api/notifications/preferences").bearer(member).json(body).send().await;
    chosen.expect(StatusCode::OK).body
}

/// The latest deliveries, as an administrator sees them.
async fn deliveries(app: &TestApp, admin: &Session, member: &Session, query: &str) -> Vec<Value> {
    let path = format!("/api/notification-deliveries?userId={}&limit=100{query}", member.user_id);
    let page = app.get(&path).bearer(admin).send().await.expect(StatusCode::OK);
    page.body["data"].as_array().unwrap().clone()
}

on_every_engine! { Scope::All =>
    async fn what_happens_stands_in_the_inbox_and_reaches_the_device_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (member, other) = (app.member().await, app.member().await);
        let token = device(&app, &member).await;
        bonus(&app, &admin, &member, 5_000).await;
        relay(&app).await;
        relay(&app).await;
        app.run_jobs().await;
        let all = list(&app, &member, "").await;
        assert_eq!((all.len(), &all[0]["kind"], &all[0]["action"]), (1, &json!("wallet.bonus"), &json!("/wallet")));
        assert_eq!(all[0]["data"]["amount"]["amount"], json!(5_000));
        let pushed = app.messages("push", &token).await;
        assert_eq!(pushed.len(), 1, "{pushed:?}");
        assert!(pushed[0].contains("50"), "{}", pushed[0]);
        assert_eq!((unread(&app, &member).await, unread(&app, &other).await), (1, 0));

        let path = format!("/api/notifications/{}", all[0]["id"].as_str().unwrap());
        let read = format!("{path}/read");
        app.put(&read).bearer(&other).send().await.problem(StatusCode::NOT_FOUND, "notification_not_found");
        for _ in 0..2 {
            app.put(&read).bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        }
        assert_eq!(unread(&app, &member).await, 0);
        app.post(&format!("{path}/clicked")).bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        assert!(list(&app, &member, "").await[0]["clickedAt"].is_string());
        app.delete(&path).bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        app.delete(&path).bearer(&member).send().await.problem(StatusCode::NOT_FOUND, "notification_not_found");
        assert!(list(&app, &member, "").await.is_empty());
        app.stop().await;
    }

    async fn the_inbox_is_listed_by_pages_and_read_as_far_as_it_was_seen(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        for key in ["one", "two", "three"] {
            tell(&app, &member, Kind::WalletBonus, key).await;
        }
        let first = app.get("/api/notifications?limit=2").bearer(&member).send().await.expect(StatusCode::OK);
        let cursor = first.text("/pagination/nextCursor");
        let seen = first.text("/data/1/id");
        let rest = list(&app, &member, &format!("?limit=2&cursor={cursor}")).await;
        assert_eq!(rest.len(), 1);
        let elsewhere = format!("/api/notifications?unread=true&cursor={cursor}");
        let refused = app.get(&elsewhere).bearer(&member).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["cursor"]);
        let wrong = app.get("/api/notifications?category=weather").bearer(&member).send().await;
        assert_eq!(wrong.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["category"]);
        assert!(list(&app, &member, "?category=listings").await.is_empty());

        let body = json!({ "upTo": seen });
        let read = app.put("/api/notifications/read-all").bearer(&member).json(&body).send().await;
        assert_eq!(read.expect(StatusCode::OK).body, json!({ "read": 2 }));
        assert_eq!(list(&app, &member, "?unread=true&category=wallet").await.len(), 1);
        let read = app.put("/api/notifications/read-all").bearer(&member).send().await;
        assert_eq!(read.expect(StatusCode::OK).body, json!({ "read": 1 }));
        let strange = app.put("/api/notifications/read-all").bearer(&member).json(&json!({ "upto": seen })).send().await;
        assert_eq!(strange.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["upto"]);
        app.stop().await;
    }

    async fn people_are_told_in_their_own_language(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        app.put("/api/users/me").bearer(&member).json(&json!({ "language": "hi" })).send().await.expect(StatusCode::OK);
        bonus(&app, &admin, &member, 5_000).await;
        relay(&app).await;
        app.run_jobs().await;
        let told = list(&app, &member, "").await;
        let is_hindi = |text: &str| text.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c));
        assert_eq!(told[0]["language"], json!("hi"));
        assert!(is_hindi(told[0]["title"].as_str().unwrap()));
        assert!(is_hindi(&app.message("push", &token).await));
        app.stop().await;
    }

    async fn a_device_is_whoever_registered_it_last_and_a_login_brings_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let (member, other) = (app.member().await, app.member().await);
        let token = device(&app, &member).await;
        let devices = async |who: &Session| -> Vec<Value> {
            let all = app.get("/api/devices").bearer(who).send().await.expect(StatusCode::OK);
            all.body["data"].as_array().unwrap().clone()
        };
        assert_eq!(devices(&member).await.len(), 1);
        assert!(!devices(&member).await[0].to_string().contains(&token), "nobody is shown a token");
        let taken = json!({ "platform": "ios", "kind": "token", "token": token });
        app.post("/api/devices").bearer(&other).json(&taken).send().await.expect(StatusCode::CREATED);
        assert!(devices(&member).await.is_empty());
        let path = format!("/api/devices/{}", devices(&other).await[0]["id"].as_str().unwrap());
        app.delete(&path).bearer(&member).send().await.problem(StatusCode::NOT_FOUND, "device_not_found");
        app.delete(&path).bearer(&other).send().await.expect(StatusCode::NO_CONTENT);
        let wrong = json!({ "platform": "ios", "kind": "token", "token": "no token" });
        let refused = app.post("/api/devices").bearer(&other).json(&wrong).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["token"]);

        let phone = crate::support::fresh_phone();
        app.post("/api/auth/send-otp").json(&json!({ "phone": phone })).send().await.expect(StatusCode::OK);
        let otp = code_in(&app.message("sms", &phone).await);
        let body = json!({ "phone": phone, "otp": otp, "deviceToken": "brought-along", "devicePlatform": "web" });
        let login = app.post("/api/auth/verify-otp").json(&body).send().await.expect(StatusCode::OK);
        let session = Session::of(&login, &phone);
        assert_eq!(devices(&session).await[0]["platform"], json!("web"));
        app.stop().await;
    }

    async fn a_report_on_an_sms_counts_when_twilio_signed_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        address(&app, &member).await;
        relay(&app).await;
        app.run_jobs().await;
        let sms = deliveries(&app, &admin, &member, "&channel=sms").await;
        assert_eq!((sms.len(), &sms[0]["status"]), (1, &json!("sent")), "{sms:?}");
        let (id, sid) = (sms[0]["id"].as_str().unwrap(), sms[0]["providerId"].as_str().unwrap());
        let query = format!("?delivery={id}");
        let report = async |sid: &str, forged: bool| {
            let fields = vec![("MessageSid".to_owned(), sid.to_owned()), ("MessageStatus".to_owned(), "delivered".to_owned())];
            let mut address = app.state.config.notify.api_url.join("/api/notifications/sms-status").unwrap();
            address.set_query(Some(query.trim_start_matches('?')));
            let token = if forged { "another token".into() } else { app.state.config.twilio.auth_token.clone() };
            let signature = twilio_signature(&token, &address, &fields);
            let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            let call = app.post(&format!("/api/notifications/sms-status{query}"));
            let call = call.header("x-twilio-signature", &signature);
            call.raw("application/x-www-form-urlencoded", form).send().await
        };
        report(sid, true).await.problem(StatusCode::FORBIDDEN, "invalid_signature");
        let unsigned = app.post(&format!("/api/notifications/sms-status{query}")).send().await;
        unsigned.problem(StatusCode::FORBIDDEN, "invalid_signature");
        assert_eq!(deliveries(&app, &admin, &member, "&channel=sms").await[0]["status"], json!("sent"));
        report("SM00000000000000000000000000000000", false).await.problem(StatusCode::NOT_FOUND, "delivery_not_found");
        for _ in 0..2 {
            report(sid, false).await.expect(StatusCode::NO_CONTENT);
        }
        assert_eq!(deliveries(&app, &admin, &member, "&channel=sms").await[0]["status"], json!("delivered"));
        app.stop().await;
    }
}
