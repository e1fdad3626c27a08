//! Logging in: the first time makes the account, blocked people stay out, tokens speak for the session.

use chrono::TimeDelta;
use identity::{Contact, IdentityError, Purpose, Reason, StatusChange, UserStatus, VerifyOtp};
use kernel::{Actor, Caller, Clock, Origin, Role};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused, entered};

fn reason() -> Reason {
    Reason::parse("because of the test").unwrap()
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn the_first_login_makes_an_account_and_the_second_finds_it(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        let origin = Origin {
            agent: Some(format!("Browser\r\n{}", "x".repeat(400))),
            address: Some("203.0.113.9".to_owned()),
            ..Origin::default()
        };
        let login = VerifyOtp::parse((Some(ASHA), None), &code, Some("Asha"), origin).unwrap();
        let first = stage.identity.verify_otp(&login).await.unwrap();
        assert_eq!((first.user.name.as_str(), first.user.role), ("Asha", Role::User));
        assert_eq!((first.user.phone.as_deref(), first.user.phone_verified), (Some(ASHA), true));
        assert_eq!((first.user.status, first.expires_in), (UserStatus::Active, 600));
        assert_eq!(stage.events("user.registered").await, 1);

        stage.wait(TimeDelta::seconds(30));
        let code = stage.code(ASHA).await;
        let again = VerifyOtp::parse((Some(ASHA), None), &code, Some("Other"), Origin::default()).unwrap();
        let again = stage.identity.verify_otp(&again).await.unwrap();
        assert_eq!((again.user.id, again.user.name.as_str()), (first.user.id, "Asha"));
        assert_eq!(stage.events("user.registered").await, 1);

        let sessions = stage.identity.list_sessions(first.user.id, stage.session(&again).await).await.unwrap();
        assert_eq!(sessions.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false]);
        assert_eq!(sessions[1].client_address.as_deref(), Some("203.0.113.9"));
        let agent = sessions[1].user_agent.as_deref().unwrap();
        assert!(agent.starts_with("Browserxx") && agent.len() == 256);
    }

    async fn a_mailbox_logs_in_too(db: TestDb) {
        let stage = Stage::on(db);
        let contact = Contact::parse(None, Some("Asha@Example.in")).unwrap();
        let code = stage.code_for(&contact, Purpose::Login).await;
        let login = VerifyOtp::parse((None, Some("asha@EXAMPLE.in")), &code, None, Origin::default());
        let login = stage.identity.verify_otp(&login.unwrap()).await.unwrap();
        assert_eq!(login.user.email.as_deref(), Some("asha@example.in"));
        assert_eq!((login.user.phone, login.user.email_verified), (None, true));
        assert_refused(stage.identity.phone_of(login.user.id).await, "no_phone");
    }

    async fn the_access_token_speaks_for_the_session(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let Actor::Person { user, role, staff, .. } = stage.actor(&login).await else { panic!("no person") };
        assert_eq!((user, role, staff), (login.user.id, Role::User, None));
        assert!(!format!("{login:?}").contains(login.refresh_token.expose()));

        stage.wait(TimeDelta::seconds(605));
        assert!(stage.identity.authenticate(login.access_token.expose()).await.is_ok(), "within the leeway");
        stage.wait(TimeDelta::seconds(1));
        assert_refused(stage.identity.authenticate(login.access_token.expose()).await, "token_expired");
        assert_refused(stage.identity.authenticate(login.refresh_token.expose()).await, "invalid_token");
    }

    async fn a_token_of_another_installation_is_refused(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let mut config = identity::IdentityConfig::new(identity::Keys::development().unwrap());
        config.audience = "another-api".to_owned();
        let other = Stage::with(db, config);
        assert_refused(other.identity.authenticate(login.access_token.expose()).await, "invalid_token");
    }

    async fn a_blocked_person_is_told_so_only_after_a_right_code(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(ASHA).await.user.id;
        let system = Caller::system("test");
        stage.identity.set_status(&system, user, StatusChange::Ban, &reason()).await.unwrap();
        stage.wait(TimeDelta::seconds(31));
        let code = stage.code(ASHA).await;
        assert_refused(stage.verify(ASHA, &crate::stage::wrong(&code)).await, "invalid_otp");
        assert_refused(stage.verify(ASHA, &code).await, "account_banned");
        assert_refused(stage.verify(ASHA, &code).await, "invalid_otp");
    }

    async fn a_suspension_whose_time_is_over_is_lifted_by_the_next_login(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(ASHA).await.user.id;
        let until = stage.clock.now() + TimeDelta::hours(2);
        let change = StatusChange::Suspend { until };
        stage.identity.set_status(&Caller::system("test"), user, change, &reason()).await.unwrap();
        stage.wait(TimeDelta::seconds(31));
        let code = stage.code(ASHA).await;
        let refused = stage.verify(ASHA, &code).await;
        assert!(matches!(refused, Err(IdentityError::AccountSuspended { until: told }) if told == until));

        stage.wait(TimeDelta::hours(2));
        let login = stage.log_in(ASHA).await;
        assert_eq!(login.user.status, UserStatus::Active);
        assert_eq!(stage.events("user.unblocked").await, 1);
    }

    /// A login and a ban at the same moment: whichever is first, nobody is logged in afterwards.
    async fn a_login_cannot_slip_past_a_ban(db: TestDb) {
        let stage = Stage::on(db);
        for round in 0..6 {
            let phone = format!("98765432{round}9");
            let user = stage.log_in(&phone).await.user.id;
            stage.wait(TimeDelta::seconds(31));
            let code = stage.code(&phone).await;
            let (one, other) = (stage.identity.clone(), stage.identity.clone());
            let login = tokio::spawn(async move { one.verify_otp(&entered(&phone, &code)).await });
            let ban = tokio::spawn(async move {
                other.set_status(&Caller::system("test"), user, StatusChange::Ban, &reason()).await
            });
            let login = login.await.unwrap();
            ban.await.unwrap().unwrap();
            if let Ok(login) = login {
                let bearer = login.access_token.expose();
                assert_refused(stage.identity.authenticate(bearer).await, "account_banned");
            }
            let alive = "SELECT COUNT(*) AS n FROM sessions WHERE user_id = ? AND revoked_at IS NULL";
            assert_eq!(stage.number(alive, [uuid::Uuid::from(user).into()]).await, 0);
        }
    }

    /// The operator makes a super admin of a number whose owner logs in for the first time at that moment.
    async fn two_who_make_the_same_account_at_once_make_one(db: TestDb) {
        let stage = Stage::on(db);
        let phone = kernel::Phone::parse(RAVI).unwrap();
        let admin = stage.identity.create_super_admin(&phone);
        let code = stage.code(RAVI).await;
        let (admin, login) = tokio::join!(admin, stage.verify(RAVI, &code));
        let (admin, login) = (admin.unwrap(), login.unwrap());
        assert_eq!(admin, login.user.id);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM users", []).await, 1);
    }
}

#[test]
fn every_wrong_field_of_a_login_is_named() {
    let refused = VerifyOtp::parse((Some("1"), None), "12", Some(""), Origin::default()).unwrap_err();
    let fields: Vec<_> = refused.0.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["phone", "otp", "name"]);
}
