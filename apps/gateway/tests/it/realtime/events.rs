//! Who hears of what, event by event: as the flow that causes it writes it, the relay tells it and a socket hears it.

use kernel::{Caller, Role};
use platform::settings::{LISTING_EXPIRY_DAYS, STAFF_TOTP_REQUIRED};
use reqwest::StatusCode;
use sandbox::{Pay, PayOutcome};
use serde_json::json;
use testkit::{Scope, on_every_engine};

use super::client::Client;
use super::{listing, relay, user_stream};
use crate::payments::event;
use crate::support::TestApp;

on_every_engine! { Scope::All =>
    async fn a_buyer_hears_of_payments_that_fail_and_arrive(db: TestDb) {
        let app = TestApp::start(db).await;
        let (buyer, other) = (app.member().await, app.member().await);
        let (mut client, _) = Client::ready(&app, &buyer, json!({})).await;
        let (mut stranger, _) = Client::ready(&app, &other, json!({})).await;
        let order = app.ordered(&buyer, 50_000).await;
        let late = app.razorpay().pay(&order, &Pay::with(PayOutcome::Late).without_webhooks()).unwrap();
        app.told(&event("payment.failed", &late)).await;
        relay(&app).await;
        let failed = client.hears("payment:failed").await.payload;
        assert_eq!(failed["amount"], json!({ "amount": 50_000, "currency": "INR" }));
        app.razorpay().settle(&late.payment_id).unwrap();
        app.told(&event("payment.captured", &late)).await;
        relay(&app).await;
        let captured = client.hears("payment:captured").await.payload;
        assert_eq!(captured, failed, "the same payment of the same order");
        assert!(captured["payment"].is_string() && captured["order"].is_string(), "{captured}");
        assert!(stranger.hears_nothing().await);
        app.stop().await;
    }

    async fn a_seller_hears_why_a_listing_is_rejected_and_who_looks_at_one_that_it_is_gone(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (seller, buyer) = (app.member().await, app.member().await);
        let (rejected, shown) = (listing(&app, &seller, &admin).await, listing(&app, &seller, &admin).await);
        for (id, decision) in [
            (&rejected, json!({ "decision": "REJECT", "reasonCode": "prohibited_item" })),
            (&shown, json!({ "decision": "APPROVE" })),
        ] {
            let path = format!("/api/listings/{id}/review");
            app.post(&path).bearer(&admin).json(&decision).send().await.expect(StatusCode::OK);
        }
        let (mut selling, _) = Client::ready(&app, &seller, json!({})).await;
        let (mut looking, _) = Client::ready(&app, &buyer, json!({})).await;
        assert_eq!(looking.ask("subscribe:listing", &json!({ "listingId": shown })).await["ok"], json!(true));
        relay(&app).await;
        let why = selling.hears("listing:rejected").await.payload;
        assert_eq!((&why["listingId"], &why["status"]), (&json!(rejected), &json!("REJECTED")));
        assert_eq!(why["reason"], json!("prohibited_item"));
        assert_eq!(looking.hears("listing:approved").await.payload, json!({ "listingId": shown, "status": "ACTIVE" }));

        app.delete(&format!("/api/listings/{shown}")).bearer(&seller).send().await.expect(StatusCode::NO_CONTENT);
        relay(&app).await;
        let gone = looking.hears("listing:deleted").await.payload;
        assert_eq!(gone, json!({ "listingId": shown, "status": "DELETED" }));
        let gone = selling.hears("listing:deleted").await.payload;
        assert!(gone["listingId"] == json!(shown) && gone["title"].is_string(), "{gone}");
        app.stop().await;
    }

    /// While they are blocked they hear nothing; whoever comes back afterwards hears both.
    async fn whoever_is_not_blocked_any_more_hears_so_when_they_are_back(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let (client, streams) = Client::ready(&app, &member, json!({})).await;
        let stream = user_stream(&member);
        let last = streams[&stream]["seq"].clone();
        client.leave().await;
        for status in ["BANNED", "ACTIVE"] {
            app.set_status(&admin, &member, status).await;
        }
        relay(&app).await;
        let back = app.login(&member.phone).await;
        let (mut client, _) = Client::ready(&app, &back, json!({ stream: last })).await;
        assert_eq!(client.hears("user:blocked").await.payload["status"], json!("BANNED"));
        assert_eq!(client.hears("user:unblocked").await.payload, json!({}));
        app.stop().await;
    }

    async fn everybody_hears_of_a_public_setting_and_of_no_other(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        let settings = &app.state.market.settings;
        for (key, value) in [
            (STAFF_TOTP_REQUIRED.definition().key, json!(false)),
            (LISTING_EXPIRY_DAYS.definition().key, json!(45)),
        ] {
            settings.set(&Caller::system("test"), key, &value, None).await.unwrap();
        }
        relay(&app).await;
        let heard = client.next().await;
        assert_eq!((heard.name.as_str(), &heard.meta["stream"]), ("settings:updated", &json!("everyone")));
        assert_eq!((&heard.payload["key"], &heard.payload["value"]), (&json!("listing_expiry_days"), &json!(45)));
        assert!(client.hears_nothing().await);
        app.stop().await;
    }
}
