//! Refreshing: rotation, the lost answer, two requests at once, and the copied token.

use chrono::TimeDelta;
use identity::{IdentityConfig, Keys, Reason, RefreshedTokens, StatusChange};
use kernel::Caller;
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, Stage, assert_refused};

async fn refresh(stage: &Stage, token: &str) -> RefreshedTokens {
    stage.identity.refresh(token).await.unwrap()
}

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn each_refresh_gives_new_tokens_of_the_same_session(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let mut token = login.refresh_token.clone();
        for _ in 0..4 {
            stage.wait(TimeDelta::minutes(9));
            let fresh = refresh(&stage, token.expose()).await;
            assert_ne!(fresh.refresh_token, token);
            let actor = stage.identity.authenticate(fresh.access_token.expose()).await.unwrap();
            assert_eq!(actor.user(), Some(login.user.id));
            token = fresh.refresh_token;
        }
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM sessions", []).await, 1);
    }

    async fn a_repeated_refresh_gets_the_same_successor_for_ten_seconds(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let first = refresh(&stage, login.refresh_token.expose()).await;
        stage.wait(TimeDelta::seconds(10));
        let again = refresh(&stage, login.refresh_token.expose()).await;
        assert_eq!(again.refresh_token, first.refresh_token);
        assert!(stage.identity.authenticate(again.access_token.expose()).await.is_ok());
        refresh(&stage, first.refresh_token.expose()).await;
    }

    async fn eight_refreshes_at_once_get_the_same_successor(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (identity, token) = (stage.identity.clone(), login.refresh_token.clone());
                tokio::spawn(async move { identity.refresh(token.expose()).await })
            })
            .collect();
        let mut successors = Vec::new();
        for task in tasks {
            successors.push(task.await.unwrap().unwrap().refresh_token.expose().to_owned());
        }
        successors.dedup();
        assert_eq!(successors.len(), 1);
        let generation = stage.number("SELECT generation AS n FROM sessions", []).await;
        assert_eq!(generation, 2, "rotated once");
    }

    /// Red when `Family::judge` no longer tells reuse: the family check.
    async fn a_reused_refresh_token_ends_its_family(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let other = stage.log_in(ASHA).await;
        let second = refresh(&stage, login.refresh_token.expose()).await;
        stage.wait(TimeDelta::seconds(11));
        assert_refused(stage.identity.refresh(login.refresh_token.expose()).await, "invalid_refresh_token");

        assert_refused(stage.identity.refresh(second.refresh_token.expose()).await, "invalid_refresh_token");
        assert_refused(stage.identity.authenticate(second.access_token.expose()).await, "session_ended");
        assert_eq!(stage.events("session.revoked").await, 1);
        assert!(stage.identity.authenticate(other.access_token.expose()).await.is_ok(), "other logins live on");
    }

    async fn an_older_ancestor_ends_its_family_even_within_the_grace(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let second = refresh(&stage, login.refresh_token.expose()).await;
        let third = refresh(&stage, second.refresh_token.expose()).await;
        assert_refused(stage.identity.refresh(login.refresh_token.expose()).await, "invalid_refresh_token");
        for dead in [&login.refresh_token, &second.refresh_token, &third.refresh_token] {
            assert_refused(stage.identity.refresh(dead.expose()).await, "invalid_refresh_token");
        }
        assert_refused(stage.identity.authenticate(third.access_token.expose()).await, "session_ended");
        assert_eq!(stage.events("session.revoked").await, 1, "told once");
    }

    async fn a_session_ends_after_thirty_days_however_often_it_is_refreshed(db: TestDb) {
        let stage = Stage::on(db);
        let mut token = stage.log_in(ASHA).await.refresh_token;
        for _ in 0..29 {
            stage.wait(TimeDelta::days(1));
            token = refresh(&stage, token.expose()).await.refresh_token;
        }
        stage.wait(TimeDelta::days(1));
        assert_refused(stage.identity.refresh(token.expose()).await, "invalid_refresh_token");
    }

    async fn a_session_that_is_not_refreshed_for_a_fortnight_ends(db: TestDb) {
        let stage = Stage::on(db);
        let token = stage.log_in(ASHA).await.refresh_token;
        stage.wait(TimeDelta::days(14));
        assert_refused(stage.identity.refresh(token.expose()).await, "invalid_refresh_token");
        assert_eq!(stage.events("session.revoked").await, 0, "age is no theft");
    }

    async fn a_token_that_we_did_not_write_is_refused(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let token = login.refresh_token.expose();
        let shortened: String = token.chars().take(74).collect();
        let altered = format!("{shortened}{}", if token.ends_with('A') { "Q" } else { "A" });
        for text in ["", "x", login.access_token.expose(), &altered, &shortened] {
            assert_refused(stage.identity.refresh(text).await, "invalid_refresh_token");
        }
        assert!(stage.identity.refresh(token).await.is_ok(), "guessing ends nobody's session");
    }

    async fn a_blocked_person_cannot_refresh(db: TestDb) {
        let stage = Stage::on(db);
        let login = stage.log_in(ASHA).await;
        let reason = Reason::parse("because of the test").unwrap();
        let system = Caller::system("test");
        stage.identity.set_status(&system, login.user.id, StatusChange::Ban, &reason).await.unwrap();
        assert_refused(stage.identity.refresh(login.refresh_token.expose()).await, "account_banned");
        stage.identity.set_status(&system, login.user.id, StatusChange::Activate, &reason).await.unwrap();
        assert_refused(stage.identity.refresh(login.refresh_token.expose()).await, "invalid_refresh_token");
    }

    async fn the_durations_are_the_configurations(db: TestDb) {
        let config = IdentityConfig {
            session_idle: TimeDelta::minutes(1),
            access_token_life: TimeDelta::seconds(30),
            ..IdentityConfig::new(Keys::development().unwrap())
        };
        let stage = Stage::with(db, config);
        let login = stage.log_in(ASHA).await;
        assert_eq!(login.expires_in, 30);
        stage.wait(TimeDelta::minutes(1));
        assert_refused(stage.identity.refresh(login.refresh_token.expose()).await, "invalid_refresh_token");
    }
}
