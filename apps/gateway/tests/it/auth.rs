//! Logging in over HTTP: codes that arrive, tokens that end, sessions, and the second factor of staff.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use kernel::Role;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use crate::support::{Session, TestApp, code_in, fresh_phone};

const SEND: &str = "/api/auth/send-otp";
const VERIFY: &str = "/api/auth/verify-otp";
const REFRESH: &str = "/api/auth/refresh";
const ME: &str = "/api/users/me";

fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// The token with one part of its header replaced, its signature kept.
fn with_header(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut parts = token.split('.');
    let header = BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
    let mut header: Value = serde_json::from_slice(&header).unwrap();
    change(&mut header);
    let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}.{}", parts.next().unwrap(), parts.next().unwrap())
}

async fn faulty(app: &TestApp, fault: Value) {
    let url = format!("{}/control/faults", app.sandbox_url());
    let client = reqwest::Client::builder().build().unwrap();
    let answer = client.post(url).json(&fault).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

on_every_engine! { Scope::All =>
    async fn a_code_that_came_by_sms_logs_in(db: TestDb) {
        let app = TestApp::start(db).await;
        let phone = fresh_phone();
        let sent = app.post(SEND).json(&json!({"phone": phone})).send().await.expect(StatusCode::OK);
        assert_eq!(sent.body, json!({"expiresIn": 300, "resendAfter": 30}));
        let otp = code_in(&app.message("sms", &phone).await);
        assert_eq!(otp.len(), 6);

        let refused = app.post(VERIFY).json(&json!({"phone": phone, "otp": wrong(&otp)})).send().await;
        let refused = refused.problem(StatusCode::UNAUTHORIZED, "invalid_otp");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        let body = json!({"phone": phone, "otp": otp, "name": "Asha Rao", "deviceToken": "push-1"});
        let answer = app.post(VERIFY).json(&body).send().await.expect(StatusCode::OK);
        assert_eq!((answer.text("/user/name"), answer.text("/user/role")), ("Asha Rao".into(), "USER".into()));
        assert_eq!((answer.body["expiresIn"].as_i64(), answer.header("cache-control")), (Some(600), "no-store"));
        app.post(VERIFY).json(&body).send().await.problem(StatusCode::UNAUTHORIZED, "invalid_otp");

        let session = Session::of(&answer, &phone);
        let me = app.get(ME).bearer(&session).send().await.expect(StatusCode::OK);
        assert_eq!(me.text("/phone"), phone);
        app.stop().await;
    }

    async fn a_code_that_came_by_mail_logs_in_too_in_the_language_asked_for(db: TestDb) {
        let app = TestApp::start(db).await;
        let to = "asha@example.in";
        let send = app.post(SEND).header("accept-language", "hi-IN,en;q=0.5");
        send.json(&json!({"email": "Asha@Example.in"})).send().await.expect(StatusCode::OK);
        let mail = app.message("email", to).await;
        assert!(mail.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)), "{mail}");
        let body = json!({"email": to, "otp": code_in(&mail)});
        let answer = app.post(VERIFY).json(&body).send().await.expect(StatusCode::OK);
        assert_eq!((answer.text("/user/email"), answer.body["user"]["phone"].is_null()), (to.into(), true));
        app.stop().await;
    }

    async fn what_is_wrong_with_a_request_is_named(db: TestDb) {
        let app = TestApp::start(db).await;
        for (path, body, fields) in [
            (SEND, json!({}), vec!["phone"]),
            (SEND, json!({"phone": "12"}), vec!["phone"]),
            (SEND, json!({"phone": "9876543210", "email": "a@b.in"}), vec!["email"]),
            (SEND, json!({"phone": "9876543210", "x": 1}), vec!["x"]),
            (VERIFY, json!({"phone": "9876543210"}), vec!["otp"]),
            (VERIFY, json!({"email": "x", "otp": "12", "name": ""}), vec!["email", "otp", "name"]),
            (REFRESH, json!({}), vec!["refreshToken"]),
        ] {
            let answer = app.post(path).json(&body).send().await;
            let answer = answer.problem(StatusCode::BAD_REQUEST, "invalid_input");
            assert_eq!(answer.fields(), fields, "{path} {body}");
        }
        app.stop().await;
    }

    async fn a_second_code_waits_half_a_minute(db: TestDb) {
        let app = TestApp::start(db).await;
        let body = json!({"phone": fresh_phone()});
        app.post(SEND).json(&body).send().await.expect(StatusCode::OK);
        let early = app.post(SEND).json(&body).send().await;
        assert_eq!(early.problem(StatusCode::TOO_MANY_REQUESTS, "otp_too_soon").header("retry-after"), "30");
        app.clock.advance(TimeDelta::seconds(30));
        app.post(SEND).json(&body).send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn a_code_that_could_not_be_sent_is_503_and_may_be_asked_for_at_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let phone = fresh_phone();
        let body = json!({"phone": phone});
        faulty(&app, json!({"target": "twilio", "error": 500, "times": 1})).await;
        let failed = app.post(SEND).json(&body).send().await.expect(StatusCode::SERVICE_UNAVAILABLE);
        assert!(!failed.body.to_string().contains(phone.trim_start_matches("+91")), "no number in the answer: {}", failed.body);
        app.post(SEND).json(&body).send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    /// Nobody can read the lost code here, but that its row is kept makes it good: identity's tests log in with one.
    async fn only_a_code_that_surely_did_not_leave_is_forgotten(db: TestDb) {
        let app = TestApp::start(db).await;
        for (fault, kept) in [(json!({"drop": true}), 1), (json!({"error": 500}), 1), (json!({"error": 401}), 0)] {
            db.schema_connection().execute_unprepared("DELETE FROM otp_codes").await.unwrap();
            let mut fault = fault;
            fault["target"] = json!("twilio");
            fault["times"] = json!(1);
            faulty(&app, fault.clone()).await;
            let body = json!({"phone": fresh_phone()});
            app.post(SEND).json(&body).send().await.expect(StatusCode::SERVICE_UNAVAILABLE);
            let count = db.engine().statement("SELECT COUNT(*) AS n FROM otp_codes", []);
            let row = db.reader().unwrap().query_one_raw(count).await.unwrap().unwrap();
            assert_eq!(row.try_get::<i64>("", "n").unwrap(), kept, "{fault}");
            app.post(SEND).json(&body).send().await.expect(StatusCode::OK);
        }
        app.stop().await;
    }

    async fn a_blocked_person_is_told_so(db: TestDb) {
        let app = TestApp::start(db).await;
        let (admin, member) = (app.staff(Role::Admin).await, app.member().await);
        app.set_status(&admin, &member, "BANNED").await;
        app.get(ME).bearer(&member).send().await.problem(StatusCode::FORBIDDEN, "account_banned");
        app.clock.advance(TimeDelta::seconds(31));
        app.post(SEND).json(&json!({"phone": member.phone})).send().await.expect(StatusCode::OK);
        let otp = code_in(&app.message("sms", &member.phone).await);
        let login = app.post(VERIFY).json(&json!({"phone": member.phone, "otp": otp})).send().await;
        login.problem(StatusCode::FORBIDDEN, "account_banned");
        let refresh = app.post(REFRESH).json(&json!({"refreshToken": member.refresh})).send().await;
        refresh.problem(StatusCode::FORBIDDEN, "account_banned");
        app.stop().await;
    }

    async fn tokens_rotate_and_a_reused_one_ends_the_session(db: TestDb) {
        let app = TestApp::start(db).await;
        let first = app.member().await;
        let mut session = first.clone();
        app.refresh(&mut session).await;
        assert_ne!(session.refresh, first.refresh);
        app.clock.advance(TimeDelta::seconds(10));
        let repeated = app.post(REFRESH).json(&json!({"refreshToken": first.refresh})).send().await;
        assert_eq!(repeated.expect(StatusCode::OK).text("/refreshToken"), session.refresh);
        app.clock.advance(TimeDelta::seconds(1));
        for token in [&first.refresh, &session.refresh] {
            let refused = app.post(REFRESH).json(&json!({"refreshToken": token})).send().await;
            refused.problem(StatusCode::UNAUTHORIZED, "invalid_refresh_token");
        }
        app.get(ME).bearer(&session).send().await.problem(StatusCode::UNAUTHORIZED, "session_ended");
        app.stop().await;
    }

    async fn logging_out_ends_the_access_token(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let gone = app.post("/api/auth/logout").bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        assert!(gone.bytes.is_empty());
        app.get(ME).bearer(&member).send().await.problem(StatusCode::UNAUTHORIZED, "session_ended");
        app.post("/api/auth/logout").bearer(&member).send().await.expect(StatusCode::UNAUTHORIZED);
        app.post("/api/auth/logout").send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        app.stop().await;
    }

    async fn sessions_are_listed_and_ended_by_their_owner_alone(db: TestDb) {
        let app = TestApp::start(db).await;
        let one = app.member().await;
        let (two, three) = (app.login(&one.phone).await, app.login(&one.phone).await);
        let stranger = app.member().await;
        let listed = app.get("/api/auth/sessions").bearer(&two).send().await.expect(StatusCode::OK);
        let sessions = listed.body["data"].as_array().unwrap().clone();
        let current: Vec<_> = sessions.iter().map(|s| s["current"].as_bool().unwrap()).collect();
        assert_eq!((current, listed.body["pagination"]["total"].as_i64()), (vec![false, true, false], Some(3)));

        let path = format!("/api/auth/sessions/{}", sessions[2]["id"].as_str().unwrap());
        app.delete(&path).bearer(&stranger).send().await.problem(StatusCode::NOT_FOUND, "session_not_found");
        app.delete(&path).bearer(&two).send().await.expect(StatusCode::NO_CONTENT);
        app.delete(&path).bearer(&two).send().await.problem(StatusCode::NOT_FOUND, "session_not_found");
        app.delete("/api/auth/sessions/x").bearer(&two).send().await.expect(StatusCode::NOT_FOUND);
        app.get(ME).bearer(&one).send().await.expect(StatusCode::UNAUTHORIZED);

        let ended = app.delete("/api/auth/sessions").bearer(&two).send().await.expect(StatusCode::OK);
        assert_eq!(ended.body, json!({"ended": 1}));
        app.get(ME).bearer(&three).send().await.expect(StatusCode::UNAUTHORIZED);
        app.get(ME).bearer(&two).send().await.expect(StatusCode::OK);
        app.get(ME).bearer(&stranger).send().await.expect(StatusCode::OK);
        app.stop().await;
    }

    async fn the_published_keys_are_those_that_sign(db: TestDb) {
        let app = TestApp::start(db).await;
        let keys = app.get("/.well-known/jwks.json").send().await.expect(StatusCode::OK);
        assert_eq!(keys.header("cache-control"), "public, max-age=300");
        let member = app.member().await;
        let header = BASE64_URL_SAFE_NO_PAD.decode(member.access.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["kid"], keys.body["keys"][0]["kid"]);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
        let key = &keys.body["keys"][0];
        assert_eq!((&key["kty"], &key["crv"], key.get("d")), (&json!("OKP"), &json!("Ed25519"), None));
        app.stop().await;
    }

    /// The rest of the list of forgeries, signed with the real key, is tried beside the verifier.
    async fn forged_tokens_are_401(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let token = &member.access;
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut forged = vec![
            String::new(),
            "x".repeat(9_000),
            format!("{message}."),
            message.to_owned(),
            format!("{message}.{}", signature.chars().rev().collect::<String>()),
            member.refresh.clone(),
        ];
        for alg in ["none", "None", "nONE", "HS256", "ES256"] {
            forged.push(with_header(token, |header| header["alg"] = json!(alg)));
        }
        for (name, value) in [
            ("kid", json!("../../../dev/null")),
            ("kid", json!("' OR 1=1 --")),
            ("typ", json!("JWT")),
            ("jku", json!("http://127.0.0.1:1/keys")),
        ] {
            forged.push(with_header(token, |header| header[name] = value));
        }
        for token in forged {
            let answer = app.get(ME).token(&token).send().await;
            assert_eq!(answer.status, 401, "{token}: {}", answer.body);
        }
        app.clock.advance(TimeDelta::seconds(605));
        app.get(ME).bearer(&member).send().await.expect(StatusCode::OK);
        app.clock.advance(TimeDelta::seconds(1));
        app.get(ME).bearer(&member).send().await.problem(StatusCode::UNAUTHORIZED, "token_expired");
        app.stop().await;
    }

    async fn staff_need_an_authenticator_and_a_fresh_code_for_roles(db: TestDb) {
        let app = TestApp::start(db).await;
        let root = app.staff(Role::SuperAdmin).await;
        let member = app.member().await;
        let role = format!("/api/users/{}/role", member.user_id);
        let admin = json!({"role": "ADMIN", "reason": "because of the test"});
        app.put(&role).bearer(&root).json(&admin).send().await.expect(StatusCode::OK);
        let session = app.login(&member.phone).await;
        let users = "/api/users";
        app.get(users).bearer(&session).send().await.problem(StatusCode::FORBIDDEN, "totp_enrolment_required");
        app.get(ME).bearer(&session).send().await.expect(StatusCode::OK);

        let enrolment = app.post("/api/auth/totp/enrol").bearer(&session).send().await.expect(StatusCode::OK);
        let secret = enrolment.text("/secret");
        assert!(enrolment.text("/otpauthUrl").starts_with("otpauth://totp/DGT%20Marketplace:"));
        let confirm = "/api/auth/totp/confirm";
        let code = app.totp(&secret);
        let guess = json!({"code": wrong(&code)});
        let refused = app.post(confirm).bearer(&session).json(&guess).send().await;
        refused.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_code");
        let answer = app.post(confirm).bearer(&session).json(&json!({"code": code})).send().await;
        let recovery = answer.expect(StatusCode::OK).text("/recoveryCodes/0");
        app.get(users).bearer(&session).send().await.expect(StatusCode::OK);
        let again = app.post("/api/auth/totp/enrol").bearer(&session).send().await;
        again.problem(StatusCode::CONFLICT, "totp_already_confirmed");

        let step_up = "/api/auth/step-up";
        let used = app.post(step_up).bearer(&session).json(&json!({"code": code})).send().await;
        used.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_code");
        let body = json!({"code": recovery});
        let answer = app.post(step_up).bearer(&session).json(&body).send().await.expect(StatusCode::OK);
        assert!(answer.text("/steppedUpUntil").ends_with('Z'));
        let malformed = app.post(step_up).bearer(&session).json(&json!({"code": "12"})).send().await;
        assert_eq!(malformed.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["code"]);

        app.clock.advance(TimeDelta::minutes(5));
        let late = app.put(&role).bearer(&root).json(&json!({"role": "USER"})).send().await;
        late.problem(StatusCode::FORBIDDEN, "step_up_required");
        app.step_up(&root).await;
        app.put(&role).bearer(&root).json(&json!({"role": "USER"})).send().await.expect(StatusCode::OK);
        app.get(ME).bearer(&session).send().await.problem(StatusCode::UNAUTHORIZED, "session_ended");
        app.stop().await;
    }

    async fn a_plain_member_has_no_second_factor(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let enrol = app.post("/api/auth/totp/enrol").bearer(&member).send().await;
        enrol.problem(StatusCode::FORBIDDEN, "staff_only");
        let step_up = app.post("/api/auth/step-up").bearer(&member).json(&json!({"code": "123456"})).send().await;
        step_up.problem(StatusCode::FORBIDDEN, "staff_only");
        app.stop().await;
    }
}
