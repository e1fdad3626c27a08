//! Each kind of news comes from an event as the flow that causes it writes it: what the one leaves out, the other would
//! miss in silence.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use kernel::Phone;
use sandbox::{Pay, PayOutcome, RefundEnd};
use store::Scheduler;

use super::*;
use crate::authority::listing_body;
use crate::payments::event;

/// Money comes in, does not come in, goes back, and is given; gives the refund's id at the provider.
async fn pay(app: &TestApp, admin: &Session, seller: &Session) -> String {
    let finance = app.staff(Role::Finance).await;
    let payment = app.topped_up(seller, 50_000).await;
    let order = app.ordered(seller, 50_000).await;
    let late = app.razorpay().pay(&order, &Pay::with(PayOutcome::Late).without_webhooks()).unwrap();
    app.told(&event("payment.failed", &late)).await;
    app.refund(&finance, &payment, Some(10_000), "refund").send().await.expect(StatusCode::CREATED);
    bonus(app, admin, seller, 500).await;
    app.razorpay().refunds()[0]["id"].as_str().unwrap().to_owned()
}

/// A listing that ends after ten days is approved, asked after and boosted for three; another is rejected.
async fn trade(app: &TestApp, admin: &Session, seller: &Session) {
    let buyer = app.member().await;
    let category = json!({ "slug": "ten-days", "name": "Ten days", "expiryDays": 10 });
    let category = app.post("/api/categories").bearer(admin).json(&category).send().await;
    let body = listing_body(&category.expect(StatusCode::CREATED).text("/id"));
    let mut paths = Vec::new();
    for decision in
        [json!({ "decision": "APPROVE" }), json!({ "decision": "REJECT", "reasonCode": "prohibited_item" })]
    {
        let made = app.post("/api/listings").bearer(seller).json(&body).send().await;
        let path = format!("/api/listings/{}", made.expect(StatusCode::CREATED).text("/id"));
        let review = app.post(&format!("{path}/review")).bearer(admin).json(&decision).send().await;
        review.expect(StatusCode::OK);
        paths.push(path);
    }
    app.post(&format!("{}/contact", paths[0])).bearer(&buyer).send().await.expect(StatusCode::OK);
    let plans = app.get("/api/boost-plans").send().await.expect(StatusCode::OK);
    let basic = plans.body["data"].as_array().unwrap().iter().find(|plan| plan["slug"] == "basic").unwrap();
    let boost = app.post(&format!("{}/boost", paths[0])).bearer(seller).header("idempotency-key", "boost");
    boost.json(&json!({ "planId": basic["id"] })).send().await.expect(StatusCode::CREATED);
}

on_every_engine! { Scope::All =>
    async fn everything_that_is_news_is_told_from_what_its_flow_wrote(db: TestDb) {
        let app = TestApp::start(db).await;
        app.state.market.seed(&Phone::parse("+919000000001").unwrap()).await.unwrap();
        let scheduler = Scheduler::new(db.database().clone(), app.state.ambient.clone(), marketplace::schedules());
        scheduler.tick().await.unwrap();
        let mut admin = app.staff(Role::Admin).await;
        let seller = app.member().await;
        address(&app, &seller).await;
        let refund = pay(&app, &admin, &seller).await;
        trade(&app, &admin, &seller).await;
        app.refund_ends(&refund, RefundEnd::Processed);
        // The refund is found to be over, the boost ends, the reminder comes, the listing ends.
        for days in [4, 4, 3] {
            app.clock.advance(TimeDelta::days(days));
            scheduler.tick().await.unwrap();
            app.state.market.poll_refunds().await.unwrap();
            app.run_jobs().await;
        }
        app.refresh(&mut admin).await;
        let path = format!("/api/users/{}/status", seller.user_id);
        for status in ["BANNED", "ACTIVE"] {
            let body = json!({ "status": status, "reason": "for the test" });
            app.put(&path).bearer(&admin).json(&body).send().await.expect(StatusCode::OK);
        }
        relay(&app).await;
        let seller = app.login(&seller.phone).await;
        let inbox = list(&app, &seller, "?limit=100").await;
        let told: BTreeSet<&str> = inbox.iter().map(|one| one["kind"].as_str().unwrap()).collect();
        let news = [
            Kind::ListingApproved, Kind::ListingRejected, Kind::ListingExpiring, Kind::ListingExpired, Kind::BoostStarted,
            Kind::BoostEnded, Kind::ContactReceived, Kind::WalletToppedUp, Kind::PaymentFailed, Kind::RefundProcessed,
            Kind::WalletBonus, Kind::AccountBlocked, Kind::AccountRestored, Kind::SecurityContactChanged,
        ];
        let untold: Vec<&str> = news.iter().map(|kind| kind.as_str()).filter(|kind| !told.contains(kind)).collect();
        assert!(untold.is_empty(), "{untold:?} of {told:?}");
        app.stop().await;
    }
}
