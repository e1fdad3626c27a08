//! What operators see of the background: how long its oldest work waits, and how much was given up.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use gateway::measure_once;
use kernel::Role;
use metrics_exporter_prometheus::PrometheusBuilder;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::StoreError;
use testkit::receiver::Receiver;
use testkit::{Scope, on_every_engine};

use crate::dead_letters::{dead_event, dead_job};
use crate::realtime::{bonus, relay};
use crate::support::TestApp;
use crate::webhooks_out::webhook;

/// The figures as a collector reads them.
async fn measured(app: &TestApp) -> BTreeMap<String, f64> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    let heard = metrics::set_default_local_recorder(&recorder);
    measure_once(&app.state.market).await.unwrap();
    drop(heard);
    let figures = figures.render();
    let lines = figures.lines().filter_map(|line| line.split_once(' '));
    lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

async fn give_up(app: &TestApp, table: &str) {
    let update = format!("UPDATE {table} SET status = 'dead', due_at = NULL");
    let update = app.state.db.engine().statement(&update, []);
    let given_up = async |txn: &DatabaseTransaction| {
        Ok::<_, StoreError>(txn.execute_raw(update.clone()).await?.rows_affected())
    };
    assert!(app.state.db.in_txn(given_up).await.unwrap() > 0);
}

on_every_engine! { Scope::All =>
    async fn what_waits_and_what_was_given_up_is_measured(db: TestDb) {
        const WAITING: [&str; 4] =
            ["outbox_lag_seconds", "jobs_lag_seconds", "deliveries_lag_seconds", "hooks_lag_seconds"];
        const DEAD: [&str; 4] = ["outbox_dead", "jobs_dead", "deliveries_dead", "hooks_dead"];
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        relay(&app).await;
        app.run_jobs().await;
        let idle = measured(&app).await;
        assert!(WAITING.iter().chain(&DEAD).all(|name| idle[*name] == 0.0), "{idle:?}");

        let receiver = Receiver::answering(&[]).await;
        webhook(&app, &admin, &receiver).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        assert!(!app.tell(&member).await.deliveries.is_empty());
        bonus(&app, &admin, &member, 100).await;
        app.clock.advance(TimeDelta::seconds(90));
        let behind = measured(&app).await;
        for name in WAITING {
            assert!((90.0..600.0).contains(&behind[name]), "{name}: {behind:?}");
        }
        assert!(DEAD.iter().all(|name| behind[*name] == 0.0), "{behind:?}");

        relay(&app).await;
        app.run_jobs().await;
        dead_event(&app).await;
        dead_job(&app, "notify.announce").await;
        assert!(!app.tell(&member).await.deliveries.is_empty());
        for table in ["notification_deliveries", "hook_deliveries"] {
            give_up(&app, table).await;
        }
        let given_up = measured(&app).await;
        assert!(given_up["outbox_dead"] == 1.0 && given_up["jobs_dead"] == 1.0, "{given_up:?}");
        assert!(given_up["deliveries_dead"] >= 1.0 && given_up["hooks_dead"] >= 1.0, "{given_up:?}");
        for name in ["outbox_lag_seconds", "deliveries_lag_seconds", "hooks_lag_seconds"] {
            assert_eq!(given_up[name], 0.0, "what was given up waits no longer: {given_up:?}");
        }
        app.stop().await;
    }
}
