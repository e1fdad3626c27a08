//! Real time over a socket: who may connect, what they hear, and what becomes of it when something is cut.

mod bounds;
pub(crate) mod client;
mod cuts;
mod events;
mod halfway;
mod inbox;
mod processes;

use kernel::Role;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use store::{Relay, RelayConfig};
use testkit::{Scope, on_every_engine};

use self::client::Client;
use crate::authority::listing_body;
use crate::support::{Session, TestApp};

/// Tells everything that happened; this process is the one that relays.
pub(crate) async fn relay(app: &TestApp) {
    let sink =
        std::sync::Arc::new(marketplace::Telling::new(&app.state.market, Some(app.state.live.listener())));
    let market = &app.state.market;
    let relay = Relay::new(market.db.clone(), market.ambient.clone(), RelayConfig::default(), sink);
    while relay.run_once().await.unwrap() > 0 {}
}

/// Something happens to a wallet.
pub(crate) async fn bonus(app: &TestApp, admin: &Session, member: &Session, amount: i64) {
    let path = format!("/api/wallets/{}/bonus", member.user_id);
    app.step_up(admin).await;
    let key = app.state.ambient.new_uuid().to_string();
    let body = json!({ "amount": amount, "reason": "for the test" });
    let given = app.post(&path).bearer(admin).header("idempotency-key", &key).json(&body).send().await;
    given.expect(StatusCode::CREATED);
}

pub(crate) async fn listing(app: &TestApp, seller: &Session, admin: &Session) -> String {
    let slug = format!("c{}", app.state.ambient.new_uuid().simple());
    let category = app
        .post("/api/categories")
        .bearer(admin)
        .json(&json!({ "slug": slug, "name": "Things" }))
        .send()
        .await;
    let body = listing_body(&category.expect(StatusCode::CREATED).text("/id"));
    app.post("/api/listings").bearer(seller).json(&body).send().await.expect(StatusCode::CREATED).text("/id")
}

fn user_stream(session: &Session) -> String {
    format!("user:{}", session.user_id)
}

on_every_engine! { Scope::All =>
    async fn a_member_hears_of_their_wallet_and_of_nobody_else_s(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (member, other) = (app.member().await, app.member().await);
        let (mut client, streams) = Client::ready(&app, &member, json!({})).await;
        assert_eq!(streams[user_stream(&member)]["resync"], json!(false));
        let (mut stranger, _) = Client::ready(&app, &other, json!({})).await;
        bonus(&app, &admin, &member, 5_000).await;
        relay(&app).await;
        let heard = client.hears("wallet:updated").await;
        assert_eq!((&heard.payload["promo"], &heard.payload["reason"]), (&json!(5_000), &json!("bonus")));
        assert_eq!(heard.meta["stream"], json!(user_stream(&member)));
        assert!(stranger.hears_nothing().await);
        app.stop().await;
    }

    async fn nobody_connects_without_a_good_token_and_none_stands_in_an_address(db: TestDb) {
        let app = TestApp::start(db).await;
        for auth in [json!({}), json!({"token": "nonsense"}), json!({"token": null}), json!({"token": 7})] {
            let refusal = Client::connect(&app, &auth).await.err().unwrap();
            assert!(refusal["data"]["code"].is_string(), "{refusal}");
        }
        let member = app.member().await;
        let polling = "/socket.io/?EIO=4&transport=polling";
        app.get(polling).send().await.expect(StatusCode::OK);
        let told = app.get(&format!("{polling}&token={}", member.access)).send().await;
        assert_eq!(told.status, 400);
        let foreign = app.get(polling).header("origin", "https://elsewhere.example").send().await;
        assert_eq!(foreign.status, 403);
        assert_eq!(Client::handshake(&app, "", None).await, 101);
        assert_eq!(Client::handshake(&app, &format!("&token={}", member.access), None).await, 400);
        assert_eq!(Client::handshake(&app, "", Some("https://elsewhere.example")).await, 403);
        app.post("/api/auth/logout").bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        assert!(Client::connect(&app, &json!({ "token": member.access })).await.is_err(), "the session has ended");
        app.stop().await;
    }

    async fn whoever_is_blocked_is_told_and_cut_and_stays_out(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        app.set_status(&admin, &member, "BANNED").await;
        relay(&app).await;
        assert_eq!(client.hears("user:blocked").await.payload["status"], json!("BANNED"));
        client.is_cut().await;
        assert!(Client::connect(&app, &json!({ "token": member.access })).await.is_err());
        app.stop().await;
    }

    async fn whoever_is_blocked_is_cut_however_far_the_events_are_behind(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (member, other) = (app.member().await, app.member().await);
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        let (mut bystander, _) = Client::ready(&app, &other, json!({})).await;
        app.state.live.cut_revoked_sessions().await;
        app.set_status(&admin, &member, "BANNED").await;
        app.state.live.cut_revoked_sessions().await;
        assert!(client.hears_nothing().await, "the event may tell why first");
        app.clock.advance(chrono::TimeDelta::seconds(2));
        app.state.live.cut_revoked_sessions().await;
        client.is_cut().await;
        assert!(bystander.hears_nothing().await);
        app.stop().await;
    }

    async fn the_end_of_a_session_cuts_its_own_sockets_alone(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let second = app.login(&member.phone).await;
        let (mut here, _) = Client::ready(&app, &member, json!({})).await;
        let (mut there, _) = Client::ready(&app, &second, json!({})).await;
        app.post("/api/auth/logout").bearer(&member).send().await.expect(StatusCode::NO_CONTENT);
        relay(&app).await;
        here.is_cut().await;
        there.hears("session:revoked").await;
        assert!(there.hears_nothing().await);
        app.stop().await;
    }

    async fn a_session_that_ends_by_time_alone_cuts_its_sockets_unless_it_is_refreshed(db: TestDb) {
        let app = TestApp::start(db).await;
        let (idle, mut busy) = (app.member().await, app.member().await);
        let (mut asleep, _) = Client::ready(&app, &idle, json!({})).await;
        let (mut awake, _) = Client::ready(&app, &busy, json!({})).await;
        app.state.live.cut_ended_sessions().await;
        assert!(asleep.hears_nothing().await, "the access token is short, the session is not");
        app.clock.advance(chrono::TimeDelta::days(13));
        app.refresh(&mut busy).await;
        app.state.live.cut_ended_sessions().await;
        assert!(asleep.hears_nothing().await && awake.hears_nothing().await);
        app.clock.advance(chrono::TimeDelta::days(2));
        app.state.live.cut_ended_sessions().await;
        asleep.is_cut().await;
        assert!(awake.hears_nothing().await);
        let refusal = Client::connect(&app, &json!({ "token": idle.access })).await.err().unwrap();
        assert!(refusal["data"]["code"].is_string(), "{refusal}");
        app.stop().await;
    }

    async fn a_new_role_cuts_so_that_other_rooms_are_joined(db: TestDb) {
        let app = TestApp::start(db).await;
        let root = app.staff(Role::SuperAdmin).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        app.step_up(&root).await;
        let path = format!("/api/users/{}/role", member.user_id);
        app.put(&path).bearer(&root).json(&json!({ "role": "MODERATOR" })).send().await.expect(StatusCode::OK);
        relay(&app).await;
        assert_eq!(client.hears("user:role_changed").await.payload["to"], json!("MODERATOR"));
        client.is_cut().await;
        app.stop().await;
    }

    async fn whoever_was_away_hears_what_they_missed_in_order_or_is_told_to_read_anew(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        bonus(&app, &admin, &member, 100).await;
        relay(&app).await;
        let mut last = client.hears("wallet:updated").await.seq();
        drop(client);
        for _ in 0..3 {
            bonus(&app, &admin, &member, 100).await;
        }
        relay(&app).await;
        let away = json!({ user_stream(&member): last });
        let (mut back, streams) = Client::ready(&app, &member, away.clone()).await;
        for n in 1..=3 {
            let heard = back.hears_after(&mut last, "wallet:updated").await;
            assert_eq!(heard.payload["promo"], json!(100 + 100 * n));
        }
        assert_eq!(streams[user_stream(&member)]["resync"], json!(false));
        assert!(back.hears_nothing().await);

        let forgotten = app.state.ambient.now() + chrono::TimeDelta::days(1);
        app.state.db.in_txn(async |txn| store::forget_stream_entries(txn, forgotten).await).await.unwrap();
        let (mut late, streams) = Client::ready(&app, &member, away).await;
        assert_eq!(streams[user_stream(&member)], json!({ "seq": last, "resync": true }));
        assert!(late.hears_nothing().await, "all of it, or none");
        app.stop().await;
    }

    async fn moderators_hear_of_new_listings_and_sellers_of_decisions(db: TestDb) {
        let app = TestApp::start(db).await;
        let root = app.staff(Role::SuperAdmin).await;
        let admin = app.staff_appointed_by(&root, Role::Admin).await;
        let moderator = app.staff_appointed_by(&root, Role::Moderator).await;
        let finance = app.staff_appointed_by(&root, Role::Finance).await;
        let seller = app.member().await;
        // Their appointments ended the sessions that they had before.
        relay(&app).await;
        let (mut reviewing, streams) = Client::ready(&app, &moderator, json!({})).await;
        assert!(streams["role:MODERATOR"].is_object());
        let (mut counting, _) = Client::ready(&app, &finance, json!({})).await;
        let (mut selling, streams) = Client::ready(&app, &seller, json!({})).await;
        assert!(streams.as_object().unwrap().keys().all(|stream| !stream.starts_with("role:")));
        let id = listing(&app, &seller, &admin).await;
        relay(&app).await;
        assert_eq!(reviewing.hears("listing:new").await.payload["listingId"], json!(id));
        assert!(counting.hears_nothing().await);

        let path = format!("/api/listings/{id}/review");
        let decision = json!({ "decision": "APPROVE" });
        app.post(&path).bearer(&moderator).json(&decision).send().await.expect(StatusCode::OK);
        relay(&app).await;
        assert_eq!(selling.hears("listing:approved").await.payload["listingId"], json!(id));
        app.stop().await;
    }

    async fn a_listing_can_be_followed_by_whoever_may_see_it(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (seller, buyer) = (app.member().await, app.member().await);
        let id = listing(&app, &seller, &admin).await;
        let (mut client, _) = Client::ready(&app, &buyer, json!({})).await;
        let wanted = json!({ "listingId": id });
        let refused = client.ask("subscribe:listing", &wanted).await;
        assert_eq!((&refused["ok"], &refused["code"]), (&json!(false), &json!("listing_not_found")));
        for wrong in [json!({}), json!("x"), json!({ "listingId": "x" }), json!({ "listingId": id, "more": 1 }), Value::Null] {
            assert_eq!(client.ask("subscribe:listing", &wrong).await["code"], json!("invalid_input"), "{wrong}");
        }
        assert_eq!(client.ask("delete:everything", &wanted).await["code"], json!("unknown_event"));

        let decision = json!({ "decision": "APPROVE" });
        app.post(&format!("/api/listings/{id}/review")).bearer(&admin).json(&decision).send().await.expect(StatusCode::OK);
        relay(&app).await;
        let following = client.ask("subscribe:listing", &wanted).await;
        assert_eq!(following["ok"], json!(true), "{following}");
        app.post(&format!("/api/listings/{id}/pause")).bearer(&seller).send().await.expect(StatusCode::OK);
        relay(&app).await;
        let heard = client.hears("listing:updated").await;
        assert_eq!(heard.payload, json!({ "listingId": id, "status": "PAUSED" }));
        // Once more: it is told what it asks for, and then hears nothing twice.
        let before = following["seq"].as_i64().unwrap();
        let again = client.ask("subscribe:listing", &json!({ "listingId": id, "after": before })).await;
        assert_eq!(again, json!({ "ok": true, "stream": heard.meta["stream"], "seq": heard.seq(), "resync": false }));
        assert_eq!(client.hears("listing:updated").await.meta, heard.meta);
        assert_eq!(client.ask("unsubscribe:listing", &wanted).await, json!({ "ok": true }));
        app.post(&format!("/api/listings/{id}/resume")).bearer(&seller).send().await.expect(StatusCode::OK);
        relay(&app).await;
        assert!(client.hears_nothing().await);
        app.stop().await;
    }

    async fn a_broadcast_is_heard_by_everybody_who_is_connected_and_is_recorded(db: TestDb) {
        let app = TestApp::start(db).await;
        let admin = app.staff(Role::Admin).await;
        let (member, moderator) = (app.member().await, app.staff(Role::Moderator).await);
        relay(&app).await;
        let (mut one, _) = Client::ready(&app, &member, json!({})).await;
        let (mut other, _) = Client::ready(&app, &moderator, json!({})).await;
        let path = "/api/announcements/broadcast";
        let said = json!({ "titleEn": "Back soon", "bodyEn": "Payments rest until noon.", "action": "/wallet" });
        for nobody in [&member, &moderator] {
            app.post(path).bearer(nobody).json(&said).send().await.expect(StatusCode::FORBIDDEN);
        }
        let wrong = json!({ "titleEn": "x", "bodyEn": "Payments rest.", "action": "https://elsewhere.example" });
        let wrong = app.post(path).bearer(&admin).json(&wrong).send().await;
        assert_eq!(wrong.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["titleEn", "action"]);
        let sent = app.post(path).bearer(&admin).json(&said).send().await.expect(StatusCode::ACCEPTED);
        relay(&app).await;
        for client in [&mut one, &mut other] {
            let heard = client.hears("broadcast:new").await;
            assert_eq!(heard.payload, said, "what was not written is left out");
            assert_eq!((&heard.meta["stream"], &heard.meta["eventId"]), (&json!("everyone"), &sent.body["eventId"]));
            assert!(client.hears_nothing().await);
        }
        let records = "SELECT subject_id FROM audit_log WHERE action = 'broadcast.sent'";
        let records = db.reader().unwrap().query_all_raw(db.engine().statement(records, [])).await.unwrap();
        let recorded: Vec<String> = records.iter().map(|row| row.try_get("", "subject_id").unwrap()).collect();
        assert_eq!(recorded, [sent.text("/eventId")]);
        app.stop().await;
    }

    async fn who_asks_too_fast_is_told_when_to_ask_again(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        let (mut other, _) = Client::ready(&app, &member, json!({})).await;
        for _ in 0..60 {
            assert_eq!(client.ask("ping", &json!({})).await, json!({ "ok": true }));
        }
        let refused = client.ask("ping", &json!({})).await;
        assert_eq!(refused, json!({
            "ok": false, "code": "rate_limited", "message": "too many events: try again in 100 ms", "retryAfterMs": 100,
        }));
        assert_eq!(client.ask("delete:everything", &json!({})).await["code"], json!("rate_limited"));
        assert_eq!(other.ask("ping", &json!({})).await, json!({ "ok": true }), "each socket has its own pace");
        app.clock.advance(chrono::TimeDelta::milliseconds(100));
        assert_eq!(client.ask("ping", &json!({})).await, json!({ "ok": true }));
        assert_eq!(client.ask("ping", &json!({})).await["code"], json!("rate_limited"));
        app.stop().await;
    }

    async fn a_ping_is_answered(db: TestDb) {
        let app = TestApp::start(db).await;
        let member = app.member().await;
        let (mut client, _) = Client::ready(&app, &member, json!({})).await;
        assert_eq!(client.ask("ping", &json!({})).await, json!({ "ok": true }));
        client.hears("pong").await;
        app.stop().await;
    }
}
