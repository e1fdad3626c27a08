//! Handshakes of Engine.IO v4, and each refusal with its code.

use serde_json::{Value, json};

use crate::client::{Polling, Ws, client, url};
use crate::server::{engine_config, quiet, start_engine, until};

#[actix_web::test]
async fn the_open_packet_has_exactly_five_fields() {
    let (server, _, engine) = start_engine(engine_config()).await;
    let polling = Polling::open(&server, "/engine.io").await;
    assert_eq!(
        polling.open,
        json!({"sid": polling.sid, "upgrades": ["websocket"], "pingInterval": 300, "pingTimeout": 200,
               "maxPayload": 1_000_000})
    );
    let mut ws = Ws::connect(&server, "/engine.io", None).await;
    let open: Value = serde_json::from_str(&ws.text().await[1..]).unwrap();
    assert_eq!(
        open,
        json!({"sid": open["sid"], "upgrades": [], "pingInterval": 300, "pingTimeout": 200, "maxPayload": 1_000_000})
    );
    assert_eq!(engine.connections(), 2);
}

#[actix_web::test]
async fn a_handshake_that_breaks_the_protocol_is_refused_with_its_code() {
    let (server, ..) = start_engine(engine_config()).await;
    let http = client();
    for (method, query, status, code) in [
        ("GET", "transport=polling", 400, 5),
        ("GET", "EIO=abc&transport=polling", 400, 5),
        ("GET", "EIO=3&transport=polling", 400, 5),
        ("GET", "EIO=4", 400, 0),
        ("GET", "EIO=4&transport=abc", 400, 0),
        ("GET", "EIO=4&transport=polling&sid=abc", 400, 1),
        ("GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAA", 400, 1),
        ("POST", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAA", 400, 1),
        ("POST", "EIO=4&transport=polling", 400, 2),
        ("PUT", "EIO=4&transport=polling", 400, 2),
        ("DELETE", "EIO=4&transport=polling", 400, 2),
        ("GET", "EIO=4&transport=polling&j=0", 400, 3),
        ("GET", "EIO=4&transport=websocket", 400, 3),
        ("POST", "EIO=4&transport=websocket", 400, 2),
    ] {
        let method = method.parse().unwrap();
        let response =
            http.request(method, url(&server, &format!("/engine.io/?{query}"))).send().await.unwrap();
        assert_eq!(response.status(), status, "{query}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["code"], code, "{query}: {body}");
        assert!(body["message"].is_string() && body.as_object().unwrap().len() == 2);
    }
}

#[actix_web::test]
async fn a_websocket_that_breaks_the_protocol_is_refused() {
    let (server, ..) = start_engine(engine_config()).await;
    for query in [
        "transport=websocket",
        "EIO=3&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=websocket&sid=abc",
    ] {
        let refused = Ws::try_connect(&server, &format!("/engine.io/?{query}"), None).await;
        assert_eq!(refused.err(), Some(400), "{query}");
    }
}

#[actix_web::test]
async fn a_secret_in_the_query_is_refused_on_both_transports() {
    let (server, ..) = start_engine(engine_config()).await;
    for name in ["token", "access_token", "auth", "Authorization", "jwt"] {
        let query = format!("/engine.io/?EIO=4&transport=polling&{name}=secret-value");
        let response = client().get(url(&server, &query)).send().await.unwrap();
        assert_eq!(response.status(), 400, "{name}");
        let body = response.text().await.unwrap();
        assert!(body.contains(&format!("`{name}`")) && !body.contains("secret-value"), "{body}");
        let query = query.replace("polling", "websocket");
        assert_eq!(Ws::try_connect(&server, &query, None).await.err(), Some(400), "{name}");
    }
}

#[actix_web::test]
async fn a_path_without_its_last_slash_is_the_same() {
    let (server, ..) = start_engine(engine_config()).await;
    let response = client().get(url(&server, "/engine.io?EIO=4&transport=polling")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[actix_web::test]
async fn more_connections_than_may_be_are_refused_until_one_ends() {
    let config = realtime::EngineConfig { max_connections: 2, ..quiet(engine_config()) };
    let (server, ..) = start_engine(config).await;
    let first = Polling::open(&server, "/engine.io").await;
    let _second = Ws::open(&server, "/engine.io").await;
    let refused = client().get(url(&server, "/engine.io/?EIO=4&transport=polling")).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let refused = Ws::try_connect(&server, "/engine.io/?EIO=4&transport=websocket", None).await;
    assert_eq!(refused.err(), Some(503));
    assert_eq!(first.post("1").await.0, 200);
    Polling::open(&server, "/engine.io").await;
}

#[actix_web::test]
async fn one_address_has_so_many_connections_and_no_more_until_one_ends() {
    let config = realtime::EngineConfig { max_connections_per_peer: 2, ..quiet(engine_config()) };
    let (server, _, engine) = start_engine(config).await;
    let first = Polling::open(&server, "/engine.io").await;
    let second = Ws::open(&server, "/engine.io").await;
    let refused = client().get(url(&server, "/engine.io/?EIO=4&transport=polling")).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused, json!({"code": 3, "message": "Too many connections from this address"}));
    let refused = Ws::try_connect(&server, "/engine.io/?EIO=4&transport=websocket", None).await;
    assert_eq!(refused.err(), Some(429));
    assert_eq!(first.post("1").await.0, 200);
    drop(second);
    until("both have ended", || engine.connections() == 0).await;
    for _ in 0..2 {
        Polling::open(&server, "/engine.io").await;
    }
}

#[actix_web::test]
async fn a_request_belongs_to_an_open_connection_by_its_own_id_alone() {
    let (server, _, engine) = start_engine(quiet(engine_config())).await;
    let polling = Polling::open(&server, "/engine.io").await;
    let sid = polling.sid.clone();
    assert!(engine.knows(&format!("EIO=4&transport=polling&sid={sid}")));
    assert!(engine.knows(&format!("sid={sid}&transport=websocket&EIO=4&t=abc")));
    for query in [
        "EIO=4&transport=polling".to_owned(),
        format!("EIO=4&transport=polling&xsid={sid}"),
        format!("EIO=4&transport=polling&x=sid={sid}"),
        "EIO=4&transport=polling&sid=".to_owned(),
        "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        format!("EIO=3&transport=polling&sid={sid}"),
        format!("sid={sid}"),
    ] {
        assert!(!engine.knows(&query), "{query}");
    }
    assert_eq!(polling.post("1").await.0, 200);
    assert!(!engine.knows(&format!("EIO=4&transport=polling&sid={sid}")), "it has ended");
}
