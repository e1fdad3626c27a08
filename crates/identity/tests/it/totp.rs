//! The second factor of staff: enrolling, confirming, stepping up, losing it.

use chrono::TimeDelta;
use identity::{IdentityConfig, KeyTexts, Keys, LoggedIn, TotpConfirmed};
use kernel::{Actor, Role, StaffFacts};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused, digits, step_up_code, wrong};

async fn facts(stage: &Stage, login: &LoggedIn) -> StaffFacts {
    match stage.actor(login).await {
        Actor::Person { staff, .. } => staff.unwrap(),
        Actor::System(_) => panic!("a person was expected"),
    }
}

/// Enrols and confirms: the secret and what confirming gave.
async fn enrolled(stage: &Stage, login: &LoggedIn) -> (String, TotpConfirmed) {
    let caller = stage.caller(login).await;
    let secret = stage.identity.enrol_totp(&caller).await.unwrap().secret.expose().to_owned();
    let code = stage.totp(&secret);
    let confirmed = stage.identity.confirm_totp(&caller, &digits(&code)).await.unwrap();
    (secret, confirmed)
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn an_authenticator_counts_once_it_is_confirmed(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.staff(ASHA, Role::Moderator).await;
        let caller = stage.caller(&login).await;
        assert_eq!(facts(&stage, &login).await, StaffFacts { totp_confirmed: false, stepped_up_until: None });
        assert_refused(stage.identity.confirm_totp(&caller, &digits("123456")).await, "totp_not_enrolled");

        let first = stage.identity.enrol_totp(&caller).await.unwrap();
        let second = stage.identity.enrol_totp(&caller).await.unwrap();
        assert_ne!(first.secret, second.secret, "until confirmed, one may begin again");
        assert!(second.otpauth_url.expose().starts_with("otpauth://totp/DGT%20Marketplace:"));
        assert!(!facts(&stage, &login).await.totp_confirmed);
        let early = stage.identity.step_up(&caller, &step_up_code("123456")).await;
        assert_refused(early, "totp_enrolment_required");

        let old = stage.totp(first.secret.expose());
        assert_refused(stage.identity.confirm_totp(&caller, &digits(&old)).await, "invalid_code");
        let code = stage.totp(second.secret.expose());
        let confirmed = stage.identity.confirm_totp(&caller, &digits(&code)).await.unwrap();
        assert_eq!(confirmed.recovery_codes.len(), 10);
        let facts = facts(&stage, &login).await;
        assert_eq!(facts, StaffFacts { totp_confirmed: true, stepped_up_until: Some(confirmed.stepped_up_until) });
        assert_refused(stage.identity.enrol_totp(&caller).await, "totp_already_confirmed");
        assert!(stage.identity.user_detail(login.user.id).await.unwrap().totp_confirmed);
        let recorded = stage.audited(login.user.id).await;
        assert_eq!(recorded, ["user.role_changed", "totp.enrolled", "totp.enrolled", "totp.confirmed"]);
    }

    async fn a_plain_user_has_no_authenticator(db: TestDb) {
        let stage = Stage::on(db);
        let caller = stage.caller(&stage.log_in(ASHA).await).await;
        assert_refused(stage.identity.enrol_totp(&caller).await, "staff_only");
        assert_refused(stage.identity.step_up(&caller, &step_up_code("123456")).await, "staff_only");
    }

    async fn a_step_up_lasts_five_minutes_and_is_the_sessions_own(db: TestDb) {
        let stage = Stage::on(db);
        let mut here = stage.staff(ASHA, Role::Finance).await;
        let (secret, _) = enrolled(&stage, &here).await;
        let elsewhere = stage.log_in(ASHA).await;
        let caller = stage.caller(&here).await;
        stage.wait(TimeDelta::minutes(5));
        assert_eq!(facts(&stage, &here).await.stepped_up_until, None);
        here.access_token = stage.identity.refresh(here.refresh_token.expose()).await.unwrap().access_token;
        let code = stage.totp(&secret);
        let until = stage.identity.step_up(&caller, &step_up_code(&code)).await.unwrap().stepped_up_until;
        assert_eq!(facts(&stage, &here).await.stepped_up_until, Some(until));
        assert_eq!(facts(&stage, &elsewhere).await.stepped_up_until, None);
        stage.wait(TimeDelta::seconds(299));
        assert!(facts(&stage, &here).await.stepped_up_until.is_some());
        stage.wait(TimeDelta::seconds(1));
        assert!(facts(&stage, &here).await.stepped_up_until.is_none());
    }

    async fn a_code_works_once_even_at_once(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.staff(ASHA, Role::Admin).await;
        let (secret, _) = enrolled(&stage, &login).await;
        let caller = stage.caller(&login).await;
        let used = stage.totp(&secret);
        assert_refused(stage.identity.step_up(&caller, &step_up_code(&used)).await, "invalid_code");

        stage.wait(TimeDelta::seconds(60));
        let code = stage.totp(&secret);
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (identity, caller, code) = (stage.identity.clone(), caller.clone(), step_up_code(&code));
                tokio::spawn(async move { identity.step_up(&caller, &code).await })
            })
            .collect();
        let mut accepted = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(error) => assert_eq!(kernel::DomainError::code(&error), "invalid_code"),
            }
        }
        assert_eq!(accepted, 1);
        stage.wait(TimeDelta::seconds(30));
        assert_refused(stage.identity.step_up(&caller, &step_up_code(&code)).await, "invalid_code");
    }

    async fn five_wrong_codes_lock_out_for_five_minutes_however_many_come_at_once(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.staff(ASHA, Role::Admin).await;
        let (secret, _) = enrolled(&stage, &login).await;
        let caller = stage.caller(&login).await;
        stage.wait(TimeDelta::seconds(60));
        let guess = wrong(&stage.totp(&secret));
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let (identity, caller, guess) = (stage.identity.clone(), caller.clone(), step_up_code(&guess));
                tokio::spawn(async move { identity.step_up(&caller, &guess).await })
            })
            .collect();
        let mut evaluated = 0;
        for task in tasks {
            let error = task.await.unwrap().unwrap_err();
            match kernel::DomainError::code(&error) {
                "invalid_code" => evaluated += 1,
                code => assert_eq!(code, "too_many_codes"),
            }
        }
        assert_eq!(evaluated, 5);
        let code = stage.totp(&secret);
        assert_refused(stage.identity.step_up(&caller, &step_up_code(&code)).await, "too_many_codes");
        stage.wait(TimeDelta::minutes(5));
        let code = stage.totp(&secret);
        assert!(stage.identity.step_up(&caller, &step_up_code(&code)).await.is_ok());
    }

    async fn a_recovery_code_stands_in_once(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.staff(ASHA, Role::Admin).await;
        let (_, confirmed) = enrolled(&stage, &login).await;
        let caller = stage.caller(&login).await;
        let code = confirmed.recovery_codes[3].expose().to_uppercase();
        assert!(stage.identity.step_up(&caller, &step_up_code(&code)).await.is_ok());
        assert_refused(stage.identity.step_up(&caller, &step_up_code(&code)).await, "invalid_code");
        let other = confirmed.recovery_codes[4].expose();
        assert!(stage.identity.step_up(&caller, &step_up_code(other)).await.is_ok());
        assert_eq!(stage.audited(login.user.id).await.last().unwrap(), "totp.recovery_code_used");
    }

    async fn a_super_admin_resets_a_lost_authenticator(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.staff(ASHA, Role::Admin).await;
        enrolled(&stage, &login).await;
        let admin = stage.caller(&login).await;
        let top = stage.caller(&stage.staff(RAVI, Role::SuperAdmin).await).await;
        let user = login.user.id;
        assert_refused(stage.identity.reset_totp(&admin, top.actor.user().unwrap()).await, "not_allowed");
        assert_refused(stage.identity.reset_totp(&top, top.actor.user().unwrap()).await, "own_account");
        stage.identity.reset_totp(&top, user).await.unwrap();
        assert_refused(stage.identity.authenticate(login.access_token.expose()).await, "session_ended");
        assert!(!facts(&stage, &stage.log_in(ASHA).await).await.totp_confirmed);
        assert_eq!(stage.audited(user).await.last().unwrap(), "totp.reset");
        assert_refused(stage.identity.reset_totp(&top, user).await, "totp_not_enrolled");
    }

    async fn a_secret_moved_to_another_persons_row_is_refused(db: TestDb) {
        let stage = Stage::on(db);
        let (asha, ravi) = (stage.staff(ASHA, Role::Admin).await, stage.staff(RAVI, Role::Admin).await);
        let (secret, _) = enrolled(&stage, &asha).await;
        enrolled(&stage, &ravi).await;
        let id = |login: &LoggedIn| uuid::Uuid::from(login.user.id);
        let read = stage.db.engine().statement(
            "SELECT secret FROM totp_factors WHERE user_id = ?",
            [id(&asha).into()],
        );
        let connection = stage.db.schema_connection();
        let row = sea_orm::ConnectionTrait::query_one_raw(connection, read).await.unwrap().unwrap();
        let sealed: Vec<u8> = row.try_get("", "secret").unwrap();
        assert!(!sealed.windows(10).any(|part| secret.as_bytes().starts_with(part)));
        let swap = stage.db.engine().statement(
            "UPDATE totp_factors SET secret = ?, last_step = 0 WHERE user_id = ?",
            [sealed.into(), id(&ravi).into()],
        );
        sea_orm::ConnectionTrait::execute_raw(connection, swap).await.unwrap();
        let code = stage.totp(&secret);
        let caller = stage.caller(&ravi).await;
        assert_refused(stage.identity.step_up(&caller, &step_up_code(&code)).await, "internal");
    }

    async fn secrets_move_to_the_new_key_and_the_old_one_can_go(db: TestDb) {
        use base64::Engine as _;
        let text = |byte: u8| secrecy::SecretString::from(base64::prelude::BASE64_STANDARD.encode([byte; 32]));
        let keys = |sealing: &[(&str, u8)]| {
            let texts = KeyTexts {
                otp_pepper: text(1),
                refresh_key: text(2),
                sealing_keys: sealing.iter().map(|(id, byte)| ((*id).to_owned(), text(*byte))).collect(),
                signing_key: "-----BEGIN PRIVATE KEY-----\n\
                    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                    -----END PRIVATE KEY-----"
                    .into(),
                retired_signing_keys: vec![],
            };
            IdentityConfig::new(Keys::from_texts(&texts).unwrap())
        };
        let old = Stage::with(db, keys(&[("old", 8)]));
        let login = old.staff(ASHA, Role::Admin).await;
        let (secret, _) = enrolled(&old, &login).await;

        let both = Stage::with(db, keys(&[("new", 9), ("old", 8)]));
        assert_eq!(both.identity.reseal_secrets().await.unwrap(), 1);
        assert_eq!(both.identity.reseal_secrets().await.unwrap(), 0);

        let new = Stage::with(db, keys(&[("new", 9)]));
        new.clock.set(kernel::Clock::now(&*old.clock) + TimeDelta::minutes(1));
        let caller = new.caller(&login).await;
        let code = new.totp(&secret);
        assert!(new.identity.step_up(&caller, &step_up_code(&code)).await.is_ok());
    }
}
