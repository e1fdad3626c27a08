//! A push reaches no phone that was logged out, however its login ended: not even one that was on its way by then.

use chrono::TimeDelta;

use super::*;

/// A way in which the first of somebody's two logins ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Logout,
    Revoked,
    AllOthersRevoked,
    OldRefreshToken,
    Blocked,
    TooOld,
}

async fn end(app: &TestApp, admin: &Session, phone: &Session, other: &Session, end: End) {
    match end {
        End::Logout => {
            app.post("/api/auth/logout").bearer(phone).send().await.expect(StatusCode::NO_CONTENT);
        }
        End::Revoked => {
            let all = app.get("/api/auth/sessions").bearer(other).send().await.expect(StatusCode::OK);
            let all = all.body["data"].as_array().unwrap().clone();
            let first = all.iter().find(|one| one["current"] == json!(false)).unwrap();
            let path = format!("/api/auth/sessions/{}", first["id"].as_str().unwrap());
            app.delete(&path).bearer(other).send().await.expect(StatusCode::NO_CONTENT);
        }
        End::AllOthersRevoked => {
            app.delete("/api/auth/sessions").bearer(other).send().await.expect(StatusCode::OK);
        }
        End::OldRefreshToken => {
            app.refresh(&mut phone.clone()).await;
            app.clock.advance(TimeDelta::seconds(11));
            let copied = json!({ "refreshToken": phone.refresh });
            let refused = app.post("/api/auth/refresh").json(&copied).send().await;
            refused.problem(StatusCode::UNAUTHORIZED, "invalid_refresh_token");
        }
        End::Blocked => {
            app.set_status(admin, phone, "BANNED").await;
        }
        End::TooOld => app.clock.advance(TimeDelta::days(200)),
    }
}

on_every_engine! { Scope::All =>
    async fn a_phone_that_was_logged_out_is_pushed_nothing(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut admin = app.staff(Role::Admin).await;
        for way in
            [End::Logout, End::Revoked, End::AllOthersRevoked, End::OldRefreshToken, End::Blocked, End::TooOld]
        {
            app.refresh(&mut admin).await;
            let phone = app.member().await;
            let token = device(&app, &phone).await;
            bonus(&app, &admin, &phone, 100).await;
            relay(&app).await;
            app.run_jobs().await;
            assert_eq!(app.messages("push", &token).await.len(), 1, "{way:?}: before");

            let other = app.login(&phone.phone).await;
            bonus(&app, &admin, &phone, 100).await;
            relay(&app).await;
            end(&app, &admin, &phone, &other, way).await;
            // The push is due, and the event that tells of the end was not relayed yet.
            app.run_jobs().await;
            assert_eq!(app.messages("push", &token).await.len(), 1, "{way:?}: nothing more");
            relay(&app).await;
            app.run_jobs().await;
            assert_eq!(app.messages("push", &token).await.len(), 1, "{way:?}: nor later");
            let devices = app.state.market.notify.devices(phone.user_id.parse().unwrap()).await.unwrap();
            assert!(devices.is_empty(), "{way:?}: the device is forgotten");
        }
        app.stop().await;
    }

    /// Of two phones, the one that is still logged in hears; and one that is logged in anew hears again.
    async fn the_other_phone_and_the_next_login_hear(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let phone = app.member().await;
        let token = device(&app, &phone).await;
        let tablet = app.login(&phone.phone).await;
        let other = device(&app, &tablet).await;
        app.post("/api/auth/logout").bearer(&phone).send().await.expect(StatusCode::NO_CONTENT);
        relay(&app).await;
        bonus(&app, &admin, &phone, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!((app.messages("push", &token).await.len(), app.messages("push", &other).await.len()), (0, 1));
        let again = app.login(&phone.phone).await;
        let body = json!({ "platform": "android", "kind": "token", "token": token });
        app.post("/api/devices").bearer(&again).json(&body).send().await.expect(StatusCode::CREATED);
        bonus(&app, &admin, &phone, 100).await;
        relay(&app).await;
        app.run_jobs().await;
        assert_eq!((app.messages("push", &token).await.len(), app.messages("push", &other).await.len()), (1, 2));
        app.stop().await;
    }
}
