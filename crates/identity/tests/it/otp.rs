//! Asking for codes: how soon, how often, and for whom.

use std::time::Duration;

use chrono::TimeDelta;
use identity::{Contact, IdentityConfig, IdentityError, Keys, OtpConfig, Purpose};
use kernel::{DomainError, Email};
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused, phone_of};

fn config(otp: OtpConfig) -> IdentityConfig {
    IdentityConfig { otp, ..IdentityConfig::new(Keys::development().unwrap()) }
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn a_code_is_told_to_the_sender_and_to_nobody_else(db: TestDb) {
        let stage = Stage::on(db);
        let issued = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await.unwrap();
        assert_eq!((issued.view().expires_in, issued.view().resend_after), (300, 30));
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM outbox_events", []).await, 0);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM jobs", []).await, 0);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM users", []).await, 0, "asking makes no account");
    }

    async fn the_same_contact_waits_half_a_minute_and_another_does_not(db: TestDb) {
        let stage = Stage::on(db);
        stage.code(ASHA).await;
        stage.code(RAVI).await;
        stage.wait(TimeDelta::seconds(29));
        let early = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await.unwrap_err();
        assert_eq!((early.code(), early.retry_after()), ("otp_too_soon", Some(Duration::from_secs(1))));
        stage.wait(TimeDelta::seconds(1));
        stage.code(ASHA).await;
    }

    async fn eight_requests_at_once_send_one_code(db: TestDb) {
        let stage = Stage::on(db);
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let identity = stage.identity.clone();
                tokio::spawn(async move { identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await })
            })
            .collect();
        let mut sent = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => sent += 1,
                Err(error) => assert_eq!(error.code(), "otp_too_soon"),
            }
        }
        assert_eq!(sent, 1);
    }

    async fn a_contact_gets_five_codes_an_hour(db: TestDb) {
        let stage = Stage::on(db);
        for _ in 0..5 {
            stage.code(ASHA).await;
            stage.wait(TimeDelta::seconds(30));
        }
        let refused = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await.unwrap_err();
        assert_eq!(refused.code(), "otp_limit");
        assert_eq!(refused.retry_after(), Some(Duration::from_secs(3_600 - 150)));
        stage.wait(TimeDelta::seconds(3_600 - 150));
        stage.code(ASHA).await;
    }

    async fn a_contact_gets_ten_codes_a_day(db: TestDb) {
        let stage = Stage::on(db);
        for _ in 0..10 {
            stage.code(ASHA).await;
            stage.wait(TimeDelta::minutes(61));
        }
        let again = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await;
        assert_refused(again, "otp_limit");
        stage.wait(TimeDelta::hours(14));
        stage.code(ASHA).await;
    }

    async fn the_purposes_of_one_contact_share_its_limit(db: TestDb) {
        let stage = Stage::on(db);
        let user = stage.log_in(RAVI).await.user.id;
        for purpose in [Purpose::Login, Purpose::ContactChange(user)].iter().cycle().take(5) {
            stage.code_for(&phone_of(ASHA), *purpose).await;
            stage.wait(TimeDelta::seconds(30));
        }
        assert_refused(stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await, "otp_limit");
    }

    /// Forty contacts asked for at once from one network: exactly as many go out as the limit says.
    async fn a_client_gets_no_more_codes_than_its_limit_however_many_at_once(db: TestDb) {
        let stage = Stage::with(db, config(OtpConfig { per_client_hour: 7, ..OtpConfig::default() }));
        let tasks: Vec<_> = (0..40)
            .map(|n| {
                let identity = stage.identity.clone();
                tokio::spawn(async move {
                    let contact = Contact::Email(Email::parse(&format!("a{n}@example.in")).unwrap());
                    let client = format!("2001:db8::{n:x}");
                    identity.issue_otp(&contact, Purpose::Login, &client).await
                })
            })
            .collect();
        let mut sent = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => sent += 1,
                Err(error) => assert_eq!(error.code(), "otp_limit", "{error}"),
            }
        }
        assert_eq!(sent, 7);
        let elsewhere = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "192.0.2.1").await;
        assert!(elsewhere.is_ok(), "another client has its own limit");
    }

    async fn all_together_get_no_more_than_the_days_limit(db: TestDb) {
        let stage = Stage::with(db, config(OtpConfig { per_day: 2, ..OtpConfig::default() }));
        stage.code(ASHA).await;
        stage.code(RAVI).await;
        let third = stage.identity.issue_otp(&phone_of("9876543212"), Purpose::Login, "::1").await;
        assert_refused(third, "otp_limit");
        stage.wait(TimeDelta::days(1));
        stage.code(ASHA).await;
    }

    async fn a_refused_request_is_not_counted(db: TestDb) {
        let stage = Stage::with(db, config(OtpConfig { per_client_hour: 2, ..OtpConfig::default() }));
        stage.code(ASHA).await;
        for _ in 0..5 {
            let early = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "203.0.113.9").await;
            assert!(matches!(early, Err(IdentityError::OtpTooSoon { .. })));
        }
        stage.code(RAVI).await;
    }

    async fn a_code_that_could_not_be_sent_may_be_asked_for_again_at_once_but_stays_counted(db: TestDb) {
        let stage = Stage::on(db);
        for _ in 0..5 {
            let issued = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await.unwrap();
            stage.identity.forget_unsent_otp(issued.id).await.unwrap();
            let code = secrecy::ExposeSecret::expose_secret(&issued.code).to_owned();
            assert_refused(stage.verify(ASHA, &code).await, "invalid_otp");
        }
        assert_refused(stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await, "otp_limit");
    }

    async fn a_code_that_perhaps_was_sent_logs_in_unless_another_took_its_place(db: TestDb) {
        let stage = Stage::on(db);
        let code = |issued: &identity::IssuedOtp| secrecy::ExposeSecret::expose_secret(&issued.code).to_owned();
        let first = stage.identity.issue_otp(&phone_of(ASHA), Purpose::Login, "::1").await.unwrap();
        stage.identity.allow_otp_resend(first.id).await.unwrap();
        stage.verify(ASHA, &code(&first)).await.unwrap();

        let old = stage.identity.issue_otp(&phone_of(RAVI), Purpose::Login, "::1").await.unwrap();
        stage.identity.allow_otp_resend(old.id).await.unwrap();
        let new = stage.identity.issue_otp(&phone_of(RAVI), Purpose::Login, "::1").await.unwrap();
        if code(&old) != code(&new) {
            assert_refused(stage.verify(RAVI, &code(&old)).await, "invalid_otp");
        }
        stage.verify(RAVI, &code(&new)).await.unwrap();
    }

    async fn neither_code_nor_contact_is_stored(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        let sql = "SELECT COUNT(*) AS n FROM otp_codes WHERE code_hash LIKE ? OR slot LIKE ?";
        let found = stage.number(sql, [format!("%{code}%").into(), "%9876543210%".into()]).await;
        assert_eq!(found, 0);
        let subjects = "SELECT COUNT(*) AS n FROM identity_counters WHERE subject LIKE ? OR subject LIKE ?";
        assert_eq!(stage.number(subjects, ["%9876543210%".into(), "%203.0.113%".into()]).await, 0);
    }
}
