//! What must not get lost or go out after all: the warning to a contact that was taken away, a message whose
//! contact cannot be looked up, a push that staff stopped.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use super::*;
use crate::support::fresh_phone;

/// The member's new number, confirmed by the code that was sent to it.
async fn move_to(app: &TestApp, member: &Session, field: &str, to: &str) {
    let way = if field == "phone" { "sms" } else { field };
    let body = json!({ field: to });
    app.post("/api/users/me/contact").bearer(member).json(&body).send().await.expect(StatusCode::OK);
    let body = json!({ field: to, "otp": code_in(&app.message(way, to).await) });
    let confirmed = app.post("/api/users/me/contact/confirm").bearer(member).json(&body).send().await;
    confirmed.expect(StatusCode::OK);
}

async fn change(app: &TestApp, sql: &str, values: Vec<sea_orm::Value>) {
    let db = &app.state.db;
    let done = db.in_txn(async |txn| {
        txn.execute_raw(db.engine().statement(sql, values.clone())).await?;
        Ok::<_, store::StoreError>(())
    });
    done.await.unwrap();
}

async fn sealed_contacts(app: &TestApp) -> i64 {
    let sql = "SELECT COUNT(*) AS n FROM notification_deliveries WHERE former_contact IS NOT NULL";
    let row = app.state.db.reader().unwrap().query_one_raw(app.state.db.engine().statement(sql, [])).await;
    row.unwrap().unwrap().try_get("", "n").unwrap()
}

async fn status(app: &TestApp, id: &str) -> String {
    let one = app.state.market.notify.delivery(&kernel::Caller::system("test"), id.parse().unwrap()).await;
    one.unwrap().status.as_str().to_owned()
}

on_every_engine! { Scope::All =>
    /// Whoever takes an account over proves a number of their own: its owner still hears of it on the old one.
    async fn a_changed_number_or_address_is_told_to_the_old_one(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let (old_phone, old_email) = (member.phone.clone(), address(&app, &member).await);
        let heard = |all: Vec<String>| all.iter().filter(|text| text.contains("changed")).count();
        assert_eq!(sealed_contacts(&app).await, 0, "an address that is the first one warns nobody");

        let new_phone = fresh_phone();
        move_to(&app, &member, "phone", &new_phone).await;
        assert_eq!(sealed_contacts(&app).await, 1);
        app.run_jobs().await;
        assert_eq!(heard(app.messages("sms", &old_phone).await), 1, "at once, and without the relay");

        let new_email = format!("new-{}", old_email);
        move_to(&app, &member, "email", &new_email).await;
        app.run_jobs().await;
        let mails = app.received("email", &old_email).await;
        assert_eq!(mails.iter().filter(|mail| mail["body"].as_str().unwrap().contains("changed")).count(), 1);
        assert_eq!(sealed_contacts(&app).await, 0, "what has left needs it no more");
        app.stop().await;
    }

    async fn the_warning_waits_for_a_provider_that_is_away(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let (old, new) = (member.phone.clone(), fresh_phone());
        let body = json!({ "phone": new });
        app.post("/api/users/me/contact").bearer(&member).json(&body).send().await.expect(StatusCode::OK);
        let otp = code_in(&app.message("sms", &new).await);
        app.fault(&json!({ "target": "twilio", "error": 429 })).await;
        let body = json!({ "phone": new, "otp": otp });
        let confirmed = app.post("/api/users/me/contact/confirm").bearer(&member).json(&body).send().await;
        confirmed.expect(StatusCode::OK);
        app.run_jobs().await;
        assert_eq!(sealed_contacts(&app).await, 1, "it is kept for the next try");
        app.no_faults().await;
        app.clock.advance(TimeDelta::minutes(2));
        app.run_jobs().await;
        let heard = app.messages("sms", &old).await;
        assert_eq!(heard.iter().filter(|text| text.contains("changed")).count(), 1);
        app.stop().await;
    }

    async fn a_message_whose_contact_cannot_be_looked_up_is_still_to_be_sent(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        address(&app, &member).await;
        relay(&app).await;
        let admin = app.staff(Role::Admin).await;
        let sms = deliveries(&app, &admin, &member, "&channel=sms").await;
        let id = sms[0]["id"].as_str().unwrap().to_owned();

        let user = member.user_id.parse::<uuid::Uuid>().unwrap();
        let set = "UPDATE users SET phone = ? WHERE id = ?";
        change(&app, set, vec!["no number".into(), user.into()]).await;
        app.run_jobs().await;
        assert_eq!(status(&app, &id).await, "queued", "nobody has taken it");
        change(&app, set, vec![member.phone.as_str().into(), user.into()]).await;
        app.clock.advance(TimeDelta::minutes(5));
        app.run_jobs().await;
        assert_eq!(status(&app, &id).await, "sent");
        let heard = app.messages("sms", &member.phone).await;
        assert_eq!(heard.iter().filter(|text| text.contains("changed")).count(), 1);
        app.stop().await;
    }

    /// Whatever opened the breaker of other messages, people can log in as soon as the provider takes their codes.
    async fn codes_leave_while_other_messages_are_kept_back(db: TestDb) {
        let app = TestApp::start(db).await;
        let message = notify::SmsMessage {
            to: kernel::Phone::parse(&fresh_phone()).unwrap(),
            body: "news".into(),
            dlt_template_id: None,
            validity: std::time::Duration::from_secs(60),
            status_callback: None,
        };
        app.fault(&json!({ "target": "twilio", "error": 503 })).await;
        let sms = &app.state.market.senders.sms;
        for _ in 0..20 {
            sms.send(&message).await.unwrap_err();
        }
        app.no_faults().await;
        assert_eq!(sms.send(&message).await, Err(notify::SendError::Busy), "they are left alone for a while");
        app.member().await;
        app.stop().await;
    }

    async fn a_login_with_a_new_device_is_told_and_one_with_a_known_one_is_not(db: TestDb) {
        let app = TestApp::start(db).await;
        let phone = fresh_phone();
        let agents = [
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/127.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
        ];
        let mut told = Vec::new();
        for agent in agents {
            app.clock.advance(TimeDelta::seconds(31));
            let ask = app.post("/api/auth/send-otp").json(&json!({ "phone": phone }));
            ask.send().await.expect(StatusCode::OK);
            let body = json!({ "phone": phone, "otp": code_in(&app.message("sms", &phone).await) });
            let login = app.post("/api/auth/verify-otp").header("user-agent", agent).json(&body).send().await;
            let session = Session::of(&login.expect(StatusCode::OK), &phone);
            relay(&app).await;
            told.push(list(&app, &session, "?category=security").await);
        }
        assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 1]);
        let one = &told[2][0];
        assert_eq!((&one["kind"], &one["data"]["device"]), (&json!("security.new_login"), &json!("Edge on Windows")));
        app.stop().await;
    }
}
