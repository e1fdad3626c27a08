//! What providers are given and in which order they are asked: the id of a registered text, and the one that stands in.

use gateway::config::{MailProvider, SmsProvider};
use testkit::raw::nobody;

use super::*;

on_every_engine! { Scope::All =>
    async fn a_registered_text_reaches_twilio_under_its_id(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.twilio.otp_dlt_template_id = Some("1107160000000000001".to_owned());
            config.twilio.otp_dlt_template_id_hindi = Some("1107160000000000002".to_owned());
        })
        .await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        assert_eq!(app.received("sms", &member.phone).await[0]["dltTemplateId"], json!("1107160000000000001"));
        let path = "/api/notification-templates/security.contact_changed/sms/en";
        let words = app.get(path).bearer(&admin).send().await.expect(StatusCode::OK).text("/body");
        address(&app, &member).await;
        relay(&app).await;
        app.run_jobs().await;
        assert!(app.received("sms", &member.phone).await[0].get("dltTemplateId").is_none(), "nobody registered it");

        let registered = json!({ "body": words, "dltTemplateId": "1107160000000000003" });
        app.put(path).bearer(&admin).json(&registered).send().await.expect(StatusCode::OK);
        // The pause between two codes for one person is over.
        app.clock.advance(chrono::TimeDelta::seconds(31));
        address(&app, &member).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!(app.received("sms", &member.phone).await[0]["dltTemplateId"], json!("1107160000000000003"));
        let test = app.post(&format!("{path}/test")).bearer(&admin).send().await;
        assert_eq!(test.expect(StatusCode::OK).body, json!({ "sent": 1 }));
        assert_eq!(app.received("sms", &admin.phone).await[0]["dltTemplateId"], json!("1107160000000000003"));
        app.stop().await;
    }

    async fn without_firebase_a_push_is_withheld_when_it_is_planned(db: TestDb) {
        let app = TestApp::start_with(db, |config| config.fcm.service_account = None).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let token = device(&app, &member).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        let planned = deliveries(&app, &admin, &member, "").await;
        let told = ["channel", "status", "reason", "attempts"].map(|field| planned[0][field].clone());
        assert_eq!((planned.len(), told), (1, [json!("push"), json!("withheld"), json!("no_provider"), json!(0)]));
        app.run_jobs().await;
        assert_eq!(deliveries(&app, &admin, &member, "").await, planned, "nothing is tried");
        assert!(app.messages("push", &token).await.is_empty());
        assert_eq!(list(&app, &member, "").await.len(), 1, "the inbox has it");
        app.stop().await;
    }

    /// The first of each order is away. What it certainly did not take goes by the second one; without one, nobody
    /// can log in.
    async fn who_stands_in_is_asked_in_the_configured_order(db: TestDb) {
        let away = nobody().await;
        let app = TestApp::start_with(db, |config| {
            config.twilio_standby = Some(config.twilio.account());
            config.smtp_standby = Some(config.smtp.clone());
            config.twilio.base_url = format!("http://{away}").parse().unwrap();
            config.smtp.url = format!("smtp://{away}").into();
            config.notify.sms = vec![SmsProvider::Twilio, SmsProvider::TwilioStandby];
            config.notify.mail = vec![MailProvider::Smtp, MailProvider::SmtpStandby];
        })
        .await;
        let member = app.member().await;
        let email = address(&app, &member).await;
        assert_eq!((app.received("sms", &member.phone).await.len(), app.messages("email", &email).await.len()), (1, 1));
        let alone = TestApp::start_with(db, |config| {
            config.twilio.base_url = format!("http://{away}").parse().unwrap();
        })
        .await;
        let phone = json!({ "phone": crate::support::fresh_phone() });
        let failed = alone.post("/api/auth/send-otp").json(&phone).send().await;
        assert_eq!(failed.status, 503, "{}", failed.body);
        alone.stop().await;
        app.stop().await;
    }
}
