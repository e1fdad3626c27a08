//! Time passes: the hourly job ends what ran out, and its seller brings it back.

use chrono::TimeDelta;
use kernel::Role;
use reqwest::StatusCode;
use serde_json::json;
use store::Scheduler;
use testkit::{Scope, on_every_engine};

use crate::authority::listing_body;
use crate::support::TestApp;

on_every_engine! { Scope::All =>
    async fn the_hourly_job_expires_a_listing_and_its_seller_renews_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let scheduler = Scheduler::new(db.database().clone(), app.state.ambient.clone(), marketplace::schedules());
        assert_eq!(scheduler.tick().await.unwrap(), 0, "a schedule begins when it is first seen");
        let admin = app.staff(Role::Admin).await;
        let category = json!({ "slug": "short-lived", "name": "Short-lived", "autoApprove": true, "expiryDays": 2 });
        let category = app.post("/api/categories").bearer(&admin).json(&category).send().await.expect(StatusCode::CREATED);
        let mut seller = app.member().await;
        let body = listing_body(&category.text("/id"));
        let made = app.post("/api/listings").bearer(&seller).json(&body).send().await.expect(StatusCode::CREATED);
        let path = format!("/api/listings/{}", made.text("/id"));
        app.get(&path).send().await.expect(StatusCode::OK);

        app.clock.advance(TimeDelta::days(2) + TimeDelta::hours(1));
        assert!(scheduler.tick().await.unwrap() >= 1);
        assert_eq!(scheduler.tick().await.unwrap(), 0, "each due time fires once");
        app.run_jobs().await;

        app.get(&path).send().await.expect(StatusCode::NOT_FOUND);
        app.refresh(&mut seller).await;
        let own = app.get(&path).bearer(&seller).send().await.expect(StatusCode::OK);
        assert_eq!(own.text("/status"), "EXPIRED");
        app.post(&format!("{path}/renew")).bearer(&seller).send().await.expect(StatusCode::OK);
        app.get(&path).send().await.expect(StatusCode::OK);
        app.stop().await;
    }
}
