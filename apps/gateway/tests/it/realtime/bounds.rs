//! How many connections one client may open, and how fast.

use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{Scope, on_every_engine};

use super::client::Client;
use crate::support::TestApp;

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// Opens a connection; gives its id.
async fn handshake(app: &TestApp) -> String {
    let open = app.get(HANDSHAKE).send().await.expect(StatusCode::OK);
    let open: Value = serde_json::from_slice(&open.bytes[1..]).unwrap();
    open["sid"].as_str().unwrap().to_owned()
}

on_every_engine! { Scope::All =>
    async fn nothing_in_a_query_gets_a_handshake_around_its_rate_but_the_id_of_an_open_connection(db: TestDb) {
        let app = TestApp::start_with(db, |config| {
            config.rate_limit.enabled = true;
            config.rate_limit.general_per_minute = 2;
        })
        .await;
        let sid = handshake(&app).await;
        let post = |body: &'static str| app.post(&format!("{HANDSHAKE}&sid={sid}")).raw("text/plain", body).send();
        for _ in 0..5 {
            post("6").await.expect(StatusCode::OK);
        }
        handshake(&app).await;
        for more in ["", "&xsid=1", "&sid=", "&sid=AAAAAAAAAAAAAAAAAAAAAA", "&x=sid=1", &format!("&xsid={sid}")] {
            let refused = app.get(&format!("{HANDSHAKE}{more}")).send().await;
            assert_eq!(refused.expect(StatusCode::TOO_MANY_REQUESTS).header("ratelimit-policy"), "\"general\";q=2;w=60");
        }
        post("1").await.expect(StatusCode::OK);
        post("6").await.expect(StatusCode::TOO_MANY_REQUESTS);
        app.stop().await;
    }

    async fn one_address_opens_so_many_connections_and_no_more_until_one_ends(db: TestDb) {
        let app = TestApp::start_with(db, |config| config.realtime.max_connections_per_address = 2).await;
        let first = handshake(&app).await;
        handshake(&app).await;
        let refused = app.get(HANDSHAKE).send().await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        app.post(&format!("{HANDSHAKE}&sid={first}")).raw("text/plain", "1").send().await.expect(StatusCode::OK);
        handshake(&app).await;
        app.stop().await;
    }

    async fn one_person_has_so_many_connections_and_no_more_until_one_ends(db: TestDb) {
        let app = TestApp::start_with(db, |config| config.realtime.max_connections_per_user = 2).await;
        let (member, other) = (app.member().await, app.member().await);
        let (first, _) = Client::ready(&app, &member, json!({})).await;
        let (_second, _) = Client::ready(&app, &member, json!({})).await;
        let auth = json!({ "token": member.access });
        let refusal = Client::connect(&app, &auth).await.err().unwrap();
        assert_eq!(refusal["data"]["code"], json!("too_many_connections"));
        Client::ready(&app, &other, json!({})).await;
        first.leave().await;
        Client::ready(&app, &member, json!({})).await;
        app.stop().await;
    }
}
