//! Before a listing ends, its seller is reminded: at nine in the morning in India, once, in the inbox and by mail.

use chrono::{DateTime, TimeDelta, Utc};
use store::Scheduler;

use super::*;
use crate::authority::listing_body;

on_every_engine! { Scope::All =>
    async fn three_days_before_a_listing_ends_its_seller_is_reminded_once(db: TestDb) {
        let app = TestApp::start(db).await;
        let scheduler = Scheduler::new(db.database().clone(), app.state.ambient.clone(), marketplace::schedules());
        scheduler.tick().await.unwrap();
        let admin = app.staff(Role::Admin).await;
        let category = json!({ "slug": "short-lived", "name": "Short-lived", "autoApprove": true, "expiryDays": 5 });
        let category = app.post("/api/categories").bearer(&admin).json(&category).send().await;
        let category = category.expect(StatusCode::CREATED).text("/id");
        let mut seller = app.member().await;
        let email = address(&app, &seller).await;
        let body = listing_body(&category);
        let made = app.post("/api/listings").bearer(&seller).json(&body).send().await.expect(StatusCode::CREATED);
        // It ends on the 7th at about noon in India, so that on the 4th at nine it has more than three days.
        let action = format!("/listings/{}", made.text("/id"));
        let at = async |moment: DateTime<Utc>| {
            app.clock.set(moment);
            scheduler.tick().await.unwrap();
            app.run_jobs().await;
            relay(&app).await;
            app.run_jobs().await;
        };
        let reminders = async |seller: &mut Session| {
            app.refresh(seller).await;
            let all = list(&app, seller, "?category=listings").await;
            let inbox = all.iter().filter(|one| one["kind"] == "listing.expiring" && one["action"] == json!(action));
            let mails = app.messages("email", &email).await;
            (inbox.count(), mails.iter().filter(|mail| mail.contains(&action)).count())
        };
        let nine: DateTime<Utc> = "2026-03-05T03:30:00Z".parse().unwrap();
        at(nine - TimeDelta::days(1)).await;
        assert_eq!(reminders(&mut seller).await, (0, 0), "more than three days are left");
        at(nine - TimeDelta::seconds(1)).await;
        assert_eq!(reminders(&mut seller).await, (0, 0), "it is not yet nine");
        at(nine).await;
        assert_eq!(reminders(&mut seller).await, (1, 1));
        at(nine + TimeDelta::days(1)).await;
        assert_eq!(reminders(&mut seller).await, (1, 1), "once for each listing");
        app.stop().await;
    }
}
