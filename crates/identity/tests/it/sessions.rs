//! Ending sessions: one's own, one by one, all others, and nobody else's.

use chrono::TimeDelta;
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage, assert_refused};

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn logging_out_ends_the_access_token_too(db: TestDb) {
        let stage = Stage::on(db);
        let (one, other) = (stage.log_in(ASHA).await, stage.log_in(ASHA).await);
        let session = stage.session(&one).await;
        stage.identity.logout(one.user.id, session).await.unwrap();
        assert_refused(stage.identity.authenticate(one.access_token.expose()).await, "session_ended");
        assert_refused(stage.identity.refresh(one.refresh_token.expose()).await, "invalid_refresh_token");
        assert!(stage.identity.authenticate(other.access_token.expose()).await.is_ok());
        stage.identity.logout(one.user.id, session).await.unwrap();
        assert_eq!(stage.events("session.revoked").await, 1, "logging out twice is told once");
    }

    async fn sessions_are_listed_newest_first_and_without_the_ended_ones(db: TestDb) {
        let stage = Stage::on(db);
        let (a, b, c) = (stage.log_in(ASHA).await, stage.log_in(ASHA).await, stage.log_in(ASHA).await);
        let ended = stage.session(&b).await;
        stage.identity.revoke_session(a.user.id, ended).await.unwrap();
        let current = stage.session(&a).await;
        let listed = stage.identity.list_sessions(a.user.id, current).await.unwrap();
        assert_eq!(listed.iter().map(|s| s.id).collect::<Vec<_>>(), [stage.session(&c).await, current]);
        assert!(listed[1].current && !listed[0].current);

        stage.wait(TimeDelta::days(14));
        assert!(stage.identity.list_sessions(a.user.id, current).await.unwrap().is_empty());
    }

    async fn sessions_are_known_by_when_they_end_until_they_have_ended(db: TestDb) {
        let stage = Stage::on(db);
        let (idle, busy, ended) = (stage.log_in(ASHA).await, stage.log_in(ASHA).await, stage.log_in(RAVI).await);
        let [a, b, c] = [stage.session(&idle).await, stage.session(&busy).await, stage.session(&ended).await];
        stage.identity.logout(ended.user.id, c).await.unwrap();
        let nobody = kernel::Ambient::system().new_id();
        let before = stage.identity.session_ends(&[a, b, c, nobody]).await.unwrap();
        assert_eq!(before.len(), 2);
        assert_eq!(before[&b], before[&a] + TimeDelta::seconds(31));
        stage.wait(TimeDelta::days(1));
        stage.identity.refresh(busy.refresh_token.expose()).await.unwrap();
        let after = stage.identity.session_ends(&[a, b]).await.unwrap();
        assert_eq!(after[&a], before[&a]);
        assert_eq!(after[&b], kernel::Clock::now(&*stage.clock) + TimeDelta::days(14));
        stage.clock.set(after[&a]);
        let last = stage.identity.session_ends(&[a, b]).await.unwrap();
        assert_eq!(last.keys().collect::<Vec<_>>(), [&b]);
        assert!(stage.identity.session_ends(&[]).await.unwrap().is_empty());
    }

    async fn somebody_elses_session_is_not_found(db: TestDb) {
        let stage = Stage::on(db);
        let (asha, ravi) = (stage.log_in(ASHA).await, stage.log_in(RAVI).await);
        let session = stage.session(&asha).await;
        let foreign = stage.identity.revoke_session(ravi.user.id, session).await;
        assert_refused(foreign, "session_not_found");
        let unknown = kernel::Ambient::system().new_id();
        assert_refused(stage.identity.revoke_session(ravi.user.id, unknown).await, "session_not_found");
        assert!(stage.identity.authenticate(asha.access_token.expose()).await.is_ok());
    }

    async fn ending_all_others_leaves_the_current_one(db: TestDb) {
        let stage = Stage::on(db);
        let logins = [stage.log_in(ASHA).await, stage.log_in(ASHA).await, stage.log_in(ASHA).await];
        let bystander = stage.log_in(RAVI).await;
        let current = stage.session(&logins[1]).await;
        let ended = stage.identity.revoke_other_sessions(logins[1].user.id, current).await.unwrap();
        assert_eq!((ended, stage.events("session.revoked").await), (2, 2));
        for (index, login) in logins.iter().enumerate() {
            let alive = stage.identity.authenticate(login.access_token.expose()).await.is_ok();
            assert_eq!(alive, index == 1, "{index}");
        }
        assert!(stage.identity.authenticate(bystander.access_token.expose()).await.is_ok());
    }
}
