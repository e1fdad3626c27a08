//! What comes to stand in an inbox is told to the sockets of whose it is.

use chrono::TimeDelta;
use sandbox::RefundEnd;

use super::*;

async fn inbox(app: &TestApp, member: &Session) -> Vec<Value> {
    let page = app.get("/api/notifications").bearer(member).send().await.expect(StatusCode::OK);
    page.body["data"].as_array().unwrap().clone()
}

/// An announcement to everybody in Pune, told.
async fn announced(app: &TestApp, admin: &Session, in_app: bool) -> String {
    let body = json!({
        "titleEn": "Festival week", "bodyEn": "Boosts cost half.", "audience": { "type": "city", "city": "Pune" },
        "inApp": in_app, "push": true, "dismissible": true,
    });
    let id = app.post("/api/announcements").bearer(admin).json(&body).send().await;
    let id = id.expect(StatusCode::CREATED).text("/id");
    let schedule = format!("/api/announcements/{id}/schedule");
    app.post(&schedule).bearer(admin).send().await.expect(StatusCode::OK);
    app.state.market.announce(id.parse().unwrap()).await.unwrap();
    relay(app).await;
    id
}

on_every_engine! { Scope::All =>
    async fn whom_an_announcement_reaches_hears_of_it_and_of_what_stands_in_their_inbox(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (one, other, elsewhere) = (app.member().await, app.member().await, app.member().await);
        for here in [&one, &other] {
            let place = json!({ "city": "Pune" });
            app.put("/api/users/me").bearer(here).json(&place).send().await.expect(StatusCode::OK);
            let device = format!("device-{}", app.state.ambient.new_uuid().simple());
            let device = json!({ "platform": "android", "kind": "token", "token": device });
            app.post("/api/devices").bearer(here).json(&device).send().await.expect(StatusCode::CREATED);
        }
        relay(&app).await;
        let (mut stranger, _) = Client::ready(&app, &elsewhere, json!({})).await;
        let (mut first, _) = Client::ready(&app, &one, json!({})).await;
        let (mut second, _) = Client::ready(&app, &other, json!({})).await;
        let id = announced(&app, &admin, true).await;
        for (client, who) in [(&mut first, &one), (&mut second, &other)] {
            let heard = client.next().await;
            assert_eq!((heard.name.as_str(), &heard.payload), ("announcement:new", &json!({ "announcementId": id })));
            let told = client.next().await;
            let stands = json!({ "notificationId": inbox(&app, who).await[0]["id"], "kind": "announcement", "merged": false });
            assert_eq!((told.name.as_str(), &told.payload), ("notification:new", &stands));
            assert_eq!((told.seq(), &told.meta["stream"]), (heard.seq() + 1, &json!(user_stream(who))));
            assert!(client.hears_nothing().await, "once");
        }
        announced(&app, &admin, false).await;
        first.hears("announcement:new").await;
        assert!(first.hears_nothing().await, "what is pushed alone stands in no inbox");
        assert_eq!(inbox(&app, &one).await.len(), 1);
        assert!(stranger.hears_nothing().await);
        app.stop().await;
    }

    async fn a_refund_that_fails_stands_in_the_inbox_and_is_told_to_the_socket(db: TestDb) {
        let app = TestApp::start(db).await;
        let (mut buyer, other, finance) = (app.member().await, app.member().await, app.staff(Role::Finance).await);
        let payment = app.topped_up(&buyer, 50_000).await;
        app.refund(&finance, &payment, Some(20_000), "k").send().await.expect(StatusCode::CREATED);
        relay(&app).await;
        let before = inbox(&app, &buyer).await.len();
        let (mut client, _) = Client::ready(&app, &buyer, json!({})).await;
        let (mut stranger, _) = Client::ready(&app, &other, json!({})).await;
        app.refund_ends(app.razorpay().refunds()[0]["id"].as_str().unwrap(), RefundEnd::Failed);
        for _ in 0..3 {
            app.clock.advance(TimeDelta::hours(2));
            app.state.market.poll_refunds().await.unwrap();
        }
        relay(&app).await;
        app.refresh(&mut buyer).await;
        let all = inbox(&app, &buyer).await;
        assert_eq!(all.len(), before + 1, "once, however often the provider is asked");
        let said = ["kind", "category", "action"].map(|field| all[0][field].clone());
        assert_eq!(said, [json!("refund.failed"), json!("wallet"), json!("/wallet")]);
        assert_eq!(all[0]["data"]["amount"], json!({ "amount": 20_000, "currency": "INR" }));
        let heard = client.hears("notification:new").await;
        let stands = json!({ "notificationId": all[0]["id"], "kind": "refund.failed", "merged": false });
        assert_eq!((&heard.payload, &heard.meta["stream"]), (&stands, &json!(user_stream(&buyer))));
        assert!(stranger.hears_nothing().await);
        app.stop().await;
    }
}
