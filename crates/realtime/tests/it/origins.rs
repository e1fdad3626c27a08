//! Which sites' pages may connect.

use realtime::{EngineConfig, Origins};

use crate::client::{Ws, client, url};
use crate::server::{Server, engine_config, start_engine};

const PATH: &str = "/engine.io/?EIO=4&transport=polling";

async fn fetch(server: &Server, method: &str, origin: Option<&str>) -> reqwest::Response {
    let mut request = client().request(method.parse().unwrap(), url(server, PATH));
    if let Some(origin) = origin {
        request = request.header("origin", origin).header("access-control-request-headers", "content-type");
    }
    request.send().await.unwrap()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[actix_web::test]
async fn only_listed_sites_connect_on_either_transport() {
    let origins = Origins::listed(["https://shop.example"]);
    let (server, ..) = start_engine(EngineConfig { origins, ..engine_config() }).await;
    for (origin, may) in [
        (None, true),
        (Some("https://shop.example"), true),
        (Some("http://shop.example"), false),
        (Some("https://shop.example:8443"), false),
        (Some("https://evil.example"), false),
        (Some("https://shop.example.evil.example"), false),
        (Some("null"), false),
        (Some(""), false),
    ] {
        let response = fetch(&server, "GET", origin).await;
        assert_eq!(response.status(), if may { 200 } else { 403 }, "{origin:?}");
        assert_eq!(header(&response, "access-control-allow-origin"), origin.filter(|_| may), "{origin:?}");
        if !may {
            assert_eq!(response.text().await.unwrap(), r#"{"code":4,"message":"Forbidden"}"#);
        }
        let ws = Ws::try_connect(&server, "/engine.io/?EIO=4&transport=websocket", origin).await;
        assert_eq!(ws.err(), (!may).then_some(403), "{origin:?}");
    }
}

#[actix_web::test]
async fn a_preflight_says_what_a_page_may_send() {
    let origins = Origins::listed(["https://shop.example"]);
    let (server, ..) = start_engine(EngineConfig { origins, ..engine_config() }).await;
    let response = fetch(&server, "OPTIONS", Some("https://shop.example")).await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("GET,POST"));
    assert_eq!(header(&response, "access-control-allow-headers"), Some("content-type"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    assert_eq!(fetch(&server, "OPTIONS", Some("https://evil.example")).await.status(), 403);
}

#[actix_web::test]
async fn any_site_may_when_it_says_so() {
    let (server, ..) = start_engine(engine_config()).await;
    let response = fetch(&server, "GET", Some("https://any.example")).await;
    assert_eq!(
        (response.status().as_u16(), header(&response, "access-control-allow-origin")),
        (200, Some("*"))
    );
}

#[actix_web::test]
async fn by_default_no_site_may() {
    let (server, ..) = start_engine(EngineConfig::default()).await;
    assert_eq!(fetch(&server, "GET", Some("https://any.example")).await.status(), 403);
    assert_eq!(fetch(&server, "GET", None).await.status(), 200);
}
