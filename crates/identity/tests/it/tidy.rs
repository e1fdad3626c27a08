//! Forgetting what is over, and nothing else.

use chrono::TimeDelta;
use identity::Tidied;
use testkit::{Domain, Scope, on_every_engine};

use crate::stage::{ASHA, RAVI, Stage};

on_every_engine! { Scope::Domain(Domain::Identity) =>
    async fn what_is_over_is_forgotten_and_what_lives_stays(db: TestDb) {
        let stage = Stage::on(db);
        let ended = stage.log_in(ASHA).await;
        stage.identity.logout(ended.user.id, stage.session(&ended).await).await.unwrap();
        stage.code(RAVI).await;
        let nothing = Tidied { codes: 0, counters: 0, sessions: 0 };
        assert_eq!(stage.identity.tidy().await.unwrap(), nothing);

        stage.wait(TimeDelta::days(2));
        let tidied = stage.identity.tidy().await.unwrap();
        assert_eq!((tidied.codes, tidied.sessions), (2, 0));
        assert!(tidied.counters > 0);
        assert_eq!(stage.number("SELECT COUNT(*) AS n FROM identity_counters", []).await, 0);

        stage.wait(TimeDelta::days(29));
        let alive = stage.log_in(ASHA).await;
        assert_eq!(stage.identity.tidy().await.unwrap().sessions, 1);
        assert!(stage.identity.authenticate(alive.access_token.expose()).await.is_ok());
    }
}
