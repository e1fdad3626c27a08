//! Guessing at codes: five per code and twenty per day, however many at once.

use chrono::TimeDelta;
use identity::{IdentityError, Purpose};
use testkit::{Domain, Scope, on_every_engine};

use crate::contact_change::confirm;
use crate::stage::{ASHA, RAVI, Stage, assert_refused, digits, entered, phone_of, wrong};

/// Guesses that were evaluated: each evaluation was admitted by the row, which counts it.
async fn evaluated(stage: &Stage) -> i64 {
    stage
        .number("SELECT CAST(attempts AS {}) AS n FROM otp_codes".replace("{}", cast(stage)).as_str(), [])
        .await
}

fn cast(stage: &Stage) -> &'static str {
    match stage.db.engine() {
        testkit::Engine::MariaDb => "SIGNED",
        testkit::Engine::Sqlite | testkit::Engine::Postgres => "BIGINT",
    }
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    /// Red when the condition in `admit_guess_in_txn` goes: the guard of the OTP counter.
    async fn of_a_thousand_parallel_guesses_at_most_five_are_evaluated(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        let guesses: Vec<_> = (1..=1_000)
            .map(|n| {
                let identity = stage.identity.clone();
                let number: u32 = code.parse().unwrap();
                let guess = format!("{:06}", (number + n) % 1_000_000);
                tokio::spawn(async move { identity.verify_otp(&entered(ASHA, &guess)).await })
            })
            .collect();
        for guess in guesses {
            assert!(matches!(guess.await.unwrap(), Err(IdentityError::WrongOtp)));
        }
        assert_eq!(evaluated(&stage).await, 5);
        let counted = "SELECT CAST(n AS {}) AS n FROM identity_counters WHERE scope = 'otp_wrong_day'";
        assert_eq!(stage.number(&counted.replace("{}", cast(&stage)), []).await, 5);
        assert_refused(stage.verify(ASHA, &code).await, "invalid_otp");
    }

    async fn the_fifth_guess_may_be_right_and_the_sixth_may_not(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        for _ in 0..4 {
            assert_refused(stage.verify(ASHA, &wrong(&code)).await, "invalid_otp");
        }
        assert!(stage.verify(ASHA, &code).await.is_ok());

        let code = stage.code(RAVI).await;
        for _ in 0..5 {
            assert_refused(stage.verify(RAVI, &wrong(&code)).await, "invalid_otp");
        }
        assert_refused(stage.verify(RAVI, &code).await, "invalid_otp");
    }

    async fn eight_right_guesses_at_once_log_in_once(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (identity, code) = (stage.identity.clone(), code.clone());
                tokio::spawn(async move { identity.verify_otp(&entered(ASHA, &code)).await })
            })
            .collect();
        let mut logins = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => logins += 1,
                Err(error) => assert!(matches!(error, IdentityError::WrongOtp), "{error}"),
            }
        }
        assert_eq!(logins, 1);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM sessions", []).await, 1);
    }

    async fn a_code_lives_five_minutes(db: TestDb) {
        let stage = Stage::on(db);
        let code = stage.code(ASHA).await;
        stage.wait(TimeDelta::seconds(300));
        assert_refused(stage.verify(ASHA, &code).await, "invalid_otp");
        let code = stage.code(ASHA).await;
        stage.wait(TimeDelta::seconds(299));
        assert!(stage.verify(ASHA, &code).await.is_ok());
    }

    async fn a_new_code_kills_the_old_one(db: TestDb) {
        let stage = Stage::on(db);
        let old = stage.code(ASHA).await;
        stage.wait(TimeDelta::seconds(30));
        let new = stage.code(ASHA).await;
        if old != new {
            assert_refused(stage.verify(ASHA, &old).await, "invalid_otp");
        }
        assert!(stage.verify(ASHA, &new).await.is_ok());
    }

    async fn a_code_is_good_for_its_own_contact_and_purpose_alone(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(RAVI).await;
        let (user, session) = (login.user.id, stage.session(&login).await);
        let code = stage.code(ASHA).await;
        assert_refused(stage.verify(RAVI, &code).await, "invalid_otp");
        let change = confirm(&stage, (user, session), &phone_of(ASHA), &digits(&code)).await;
        assert_refused(change, "invalid_code");

        let for_change = stage.code_for(&phone_of(ASHA), Purpose::ContactChange(user)).await;
        if for_change != code {
            assert_refused(stage.verify(ASHA, &for_change).await, "invalid_otp");
        }
    }

    async fn an_unknown_contact_is_answered_like_a_known_one(db: TestDb) {
        let stage = Stage::on(db);
        stage.log_in(ASHA).await;
        let known = stage.verify(ASHA, "000000").await.unwrap_err();
        let unknown = stage.verify(RAVI, "000000").await.unwrap_err();
        assert_eq!(known.to_string(), unknown.to_string());
        assert!(matches!((known, unknown), (IdentityError::WrongOtp, IdentityError::WrongOtp)));
    }

    async fn twenty_wrong_guesses_lock_a_contact_for_the_day(db: TestDb) {
        let stage = Stage::on(db);
        for _ in 0..4 {
            let code = stage.code(ASHA).await;
            for _ in 0..5 {
                assert_refused(stage.verify(ASHA, &wrong(&code)).await, "invalid_otp");
            }
            stage.wait(TimeDelta::seconds(30));
        }
        let code = stage.code(ASHA).await;
        assert_refused(stage.verify(ASHA, &code).await, "otp_locked");
        assert!(stage.log_in(RAVI).await.user.phone_verified, "others are not locked");

        stage.wait(TimeDelta::days(1));
        let code = stage.code(ASHA).await;
        assert!(stage.verify(ASHA, &code).await.is_ok());
    }

    async fn right_guesses_do_not_count_towards_the_lock(db: TestDb) {
        let stage = Stage::on(db);
        for _ in 0..9 {
            stage.log_in(ASHA).await;
            stage.wait(TimeDelta::minutes(61));
        }
        let counted = "SELECT CAST(n AS {}) AS n FROM identity_counters WHERE scope = 'otp_wrong_day'";
        assert_eq!(stage.number(&counted.replace("{}", cast(&stage)), []).await, 0);
    }
}
