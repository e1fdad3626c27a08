//! Profiles and accounts over HTTP: one's own, sellers', and what staff do with them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use kernel::Role;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use testkit::{Scope, on_every_engine};

use crate::support::{Session, TestApp, code_in, fresh_phone};

const ME: &str = "/api/users/me";

/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async fn upload(app: &TestApp, session: &Session) -> String {
    let part = Part::bytes(BASE64_STANDARD.decode(PNG).unwrap()).file_name("me.png");
    let form = Form::new().part("file", part);
    let answer = app.post("/api/uploads").bearer(session).multipart(form).send().await;
    answer.expect(StatusCode::CREATED).text("/data/0/id")
}

on_every_engine! { Scope::All =>
    async fn a_profile_changes_by_what_is_given(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let all = json!({"name": "आशा राव", "city": "Pune", "state": "Maharashtra", "pincode": "411001", "language": "hi"});
        let changed = app.put(ME).bearer(&member).json(&all).send().await.expect(StatusCode::OK);
        for field in ["name", "city", "state", "pincode", "language"] {
            assert_eq!(changed.body[field], all[field], "{field}");
        }
        let some = json!({"city": null, "language": "en"});
        let changed = app.put(ME).bearer(&member).json(&some).send().await.expect(StatusCode::OK);
        assert_eq!((&changed.body["city"], &changed.body["state"]), (&json!(null), &json!("Maharashtra")));
        assert_eq!(app.get(ME).bearer(&member).send().await.body, changed.body);

        let wrong = json!({"name": "", "pincode": "011001", "city": "a\u{0}b"});
        let refused = app.put(ME).bearer(&member).json(&wrong).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["name", "city", "pincode"]);
        for column in ["id", "role", "status", "phone", "phoneVerified", "version", "createdAt"] {
            let refused = app.put(ME).bearer(&member).json(&json!({ column: "x" })).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [column]);
        }
        app.get(ME).send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        app.stop().await;
    }

    async fn a_profile_has_versions(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let read = app.get(ME).bearer(&member).send().await.expect(StatusCode::OK);
        let tag = read.header("etag").to_owned();
        let known = app.get(ME).bearer(&member).header("if-none-match", &tag).send().await;
        assert!(known.expect(StatusCode::NOT_MODIFIED).bytes.is_empty());

        let edit = |name: &str, tag: &str| {
            app.put(ME).bearer(&member).header("if-match", tag).json(&json!({ "name": name })).send()
        };
        let changed = edit("Asha", &tag).await.expect(StatusCode::OK);
        assert_ne!(changed.header("etag"), tag);
        edit("Other", &tag).await.problem(StatusCode::PRECONDITION_FAILED, "version_mismatch");
        assert_eq!(app.get(ME).bearer(&member).send().await.text("/name"), "Asha");

        // What was changed is told, whatever version the client says it has.
        let body = json!({ "name": "Asha Rao" });
        let changed = app.put(ME).bearer(&member).header("if-none-match", "*").json(&body).send().await;
        assert_eq!(changed.expect(StatusCode::OK).text("/name"), "Asha Rao");
        app.stop().await;
    }

    async fn a_picture_is_taken_from_ones_own_uploads_and_kept(db: TestDb) {
        let app = TestApp::start(db).await;
        let (member, stranger) = (app.member().await, app.member().await);
        let photo = upload(&app, &member).await;
        let body = json!({"avatarPhotoId": photo});
        let foreign = app.put(ME).bearer(&stranger).json(&body).send().await;
        assert_eq!(foreign.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["avatarPhotoId"]);
        let mine = app.put(ME).bearer(&member).json(&body).send().await.expect(StatusCode::OK);
        assert_eq!(mine.text("/avatarPhotoId"), photo);

        app.clock.advance(TimeDelta::days(3));
        app.state.market.photos.clean_up(app.state.ambient.now(), 100).await.unwrap();
        app.get(&mine.text("/avatarUrl")).send().await.expect(StatusCode::OK);
        let card = app.get(&format!("/api/sellers/{}", member.user_id)).send().await.expect(StatusCode::OK);
        assert_eq!(card.text("/avatarUrl"), mine.text("/avatarUrl"));
        assert!(!card.body.to_string().contains(&member.phone));

        let again = app.login(&member.phone).await;
        let without = app.put(ME).bearer(&again).json(&json!({"avatarPhotoId": null})).send().await;
        assert!(without.expect(StatusCode::OK).body["avatarUrl"].is_null());
        app.get("/api/sellers/018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11").send().await.expect(StatusCode::NOT_FOUND);
        app.stop().await;
    }

    async fn a_code_to_a_new_number_makes_it_ones_own(db: TestDb) {
        let app = TestApp::start(db).await;
        let (member, other) = (app.member().await, app.member().await);
        let elsewhere = app.login(&member.phone).await;
        let (ask, confirm) = ("/api/users/me/contact", "/api/users/me/contact/confirm");
        let new = fresh_phone();
        app.post(ask).bearer(&member).json(&json!({"phone": new})).send().await.expect(StatusCode::OK);
        let otp = code_in(&app.message("sms", &new).await);
        let body = json!({"phone": new, "otp": otp});
        let stolen = app.post(confirm).bearer(&other).json(&body).send().await;
        stolen.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_code");
        let changed = app.post(confirm).bearer(&member).json(&body).send().await.expect(StatusCode::OK);
        assert_eq!(changed.text("/phone"), new);
        app.get(ME).bearer(&elsewhere).send().await.problem(StatusCode::UNAUTHORIZED, "session_ended");

        app.clock.advance(TimeDelta::seconds(31));
        app.post(ask).bearer(&other).json(&json!({"phone": new})).send().await.expect(StatusCode::OK);
        let otp = code_in(&app.message("sms", &new).await);
        let taken = app.post(confirm).bearer(&other).json(&json!({"phone": new, "otp": otp})).send().await;
        taken.problem(StatusCode::CONFLICT, "contact_taken");
        let both = json!({"phone": "1", "otp": "x"});
        let refused = app.post(confirm).bearer(&other).json(&both).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["phone", "otp"]);
        app.stop().await;
    }

    async fn staff_find_people_and_others_do_not(db: TestDb) {
        let app = TestApp::start(db).await;
        let (admin, member) = (app.staff(Role::Admin).await, app.member().await);
        let query = format!("/api/users?search={}", member.phone.replace('+', "%2B"));
        let found = app.get(&query).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((found.text("/data/0/id"), found.body["pagination"]["total"].as_i64()), (member.user_id.clone(), Some(1)));
        let staff = app.get("/api/users?role=ADMIN&limit=1&page=1").bearer(&admin).send().await;
        assert_eq!(staff.expect(StatusCode::OK).text("/data/0/id"), admin.user_id);
        for (query, field) in [("page=0", "page"), ("limit=101", "limit"), ("role=KING", "role"), ("x=1", "x"), ("search=%20", "search")] {
            let refused = app.get(&format!("/api/users?{query}")).bearer(&admin).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field], "{query}");
        }
        let detail = format!("/api/users/{}", member.user_id);
        let seen = app.get(&detail).bearer(&admin).send().await.expect(StatusCode::OK);
        assert_eq!((seen.text("/phone"), &seen.body["totpConfirmed"]), (member.phone.clone(), &json!(false)));
        for path in [detail.as_str(), "/api/users"] {
            app.get(path).bearer(&member).send().await.problem(StatusCode::FORBIDDEN, "forbidden");
            app.get(path).send().await.expect(StatusCode::UNAUTHORIZED);
        }
        let unknown = "/api/users/018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11";
        app.get(unknown).bearer(&admin).send().await.problem(StatusCode::NOT_FOUND, "user_not_found");
        app.stop().await;
    }

    async fn an_admin_blocks_and_a_moderator_suspends(db: TestDb) {
        let app = TestApp::start(db).await;
        let root = app.staff(Role::SuperAdmin).await;
        let admin = app.staff_appointed_by(&root, Role::Admin).await;
        let moderator = app.staff_appointed_by(&root, Role::Moderator).await;
        let member = app.member().await;
        let status = format!("/api/users/{}/status", member.user_id);
        let suspend = format!("/api/users/{}/suspend", member.user_id);
        let ban = json!({"status": "BANNED", "reason": "because of the test"});
        app.put(&status).bearer(&moderator).json(&ban).send().await.problem(StatusCode::FORBIDDEN, "forbidden");

        let week = json!({"days": 7, "reason": "because of the test"});
        let answer = app.post(&suspend).bearer(&moderator).json(&week).send().await.expect(StatusCode::OK);
        assert!(!answer.body.to_string().contains(&member.phone), "a moderator is not told the number");
        app.get(ME).bearer(&member).send().await.problem(StatusCode::FORBIDDEN, "account_suspended");
        let long = json!({"days": 8, "reason": "because of the test"});
        let refused = app.post(&suspend).bearer(&moderator).json(&long).send().await;
        assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["days"]);
        app.post(&suspend).bearer(&moderator).json(&week).send().await.problem(StatusCode::FORBIDDEN, "not_allowed");

        let lift = json!({"status": "ACTIVE", "reason": "because of the test"});
        let lifted = app.put(&status).bearer(&admin).json(&lift).send().await.expect(StatusCode::OK);
        assert_eq!((lifted.text("/status"), &lifted.body["suspendedUntil"]), ("ACTIVE".into(), &json!(null)));
        for (body, field) in [
            (json!({"status": "SUSPENDED", "reason": "because"}), "suspendedUntil"),
            (json!({"status": "SUSPENDED", "suspendedUntil": "2020-01-01T00:00:00Z", "reason": "because"}), "suspendedUntil"),
            (json!({"status": "SUSPENDED", "suspendedUntil": "9999-01-01T00:00:00Z", "reason": "because"}), "suspendedUntil"),
            (json!({"status": "DELETED", "reason": "because"}), "status"),
            (json!({"status": "BANNED", "reason": "x"}), "reason"),
        ] {
            let refused = app.put(&status).bearer(&admin).json(&body).send().await;
            assert_eq!(refused.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), [field], "{body}");
        }
        let own = format!("/api/users/{}/status", admin.user_id);
        app.put(&own).bearer(&admin).json(&ban).send().await.problem(StatusCode::FORBIDDEN, "own_account");
        let above = format!("/api/users/{}/status", root.user_id);
        app.put(&above).bearer(&admin).json(&ban).send().await.problem(StatusCode::FORBIDDEN, "outranked");
        app.stop().await;
    }

    async fn a_super_admin_appoints_and_resets_authenticators(db: TestDb) {
        let app = TestApp::start(db).await;
        let root = app.staff(Role::SuperAdmin).await;
        let finance = app.staff_appointed_by(&root, Role::Finance).await;
        app.step_up(&root).await;
        let own = format!("/api/users/{}/role", root.user_id);
        app.put(&own).bearer(&root).json(&json!({"role": "USER"})).send().await.problem(StatusCode::FORBIDDEN, "own_account");
        let role = format!("/api/users/{}/role", finance.user_id);
        let refused = app.put(&role).bearer(&finance).json(&json!({"role": "ADMIN"})).send().await;
        refused.problem(StatusCode::FORBIDDEN, "forbidden");
        let unknown = app.put(&role).bearer(&root).json(&json!({"role": "KING"})).send().await;
        assert_eq!(unknown.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["role"]);

        let reset = format!("/api/users/{}/totp", finance.user_id);
        app.delete(&reset).bearer(&root).send().await.expect(StatusCode::NO_CONTENT);
        app.delete(&reset).bearer(&root).send().await.problem(StatusCode::CONFLICT, "totp_not_enrolled");
        app.get(ME).bearer(&finance).send().await.problem(StatusCode::UNAUTHORIZED, "session_ended");
        app.stop().await;
    }
}
