//! Twilio's Messages API.

use chrono::DateTime;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bench::{self, ACCOUNT, ASHA, Bench, SENDER, TOKEN};

#[tokio::test]
async fn a_message_is_created_as_twilio_creates_it() {
    let bench = Bench::open().await;
    let form = [
        ("To", ASHA),
        ("From", SENDER),
        ("Body", "Your code is 123456"),
        ("ValidityPeriod", "300"),
        ("StatusCallback", "https://example.in/hooks/twilio?a=b"),
        ("NotOfTwilio", "ignored"),
    ];
    let answer = bench.send(&form).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let message = bench::json(answer).await;

    let sid = message["sid"].as_str().unwrap();
    assert!(sid.len() == 34 && sid.starts_with("SM"), "{sid}");
    let created = message["date_created"].as_str().unwrap();
    assert!(DateTime::parse_from_rfc2822(created).is_ok() && created.ends_with("+0000"), "{created}");
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}");
    let expected = json!({
        "body": "Your code is 123456", "num_segments": "1", "direction": "outbound-api", "from": SENDER,
        "date_updated": created, "price": null, "error_message": null, "uri": format!("{path}.json"),
        "account_sid": ACCOUNT, "num_media": "0", "to": ASHA, "date_created": created, "status": "queued",
        "sid": sid, "date_sent": null, "messaging_service_sid": null, "error_code": null, "price_unit": "USD",
        "api_version": "2010-04-01", "subresource_uris": {"media": format!("{path}/Media.json")},
    });
    assert_eq!(message, expected);

    let fetched = bench.twilio(Method::GET, &format!("Messages/{sid}.json")).send().await.unwrap();
    assert_eq!(fetched.status(), StatusCode::OK);
    assert_eq!(bench::json(fetched).await, message);
    let callback = bench.running.status_callback(sid).unwrap();
    assert_eq!(callback.as_str(), "https://example.in/hooks/twilio?a=b");
}

#[tokio::test]
async fn a_messaging_service_picks_its_sender_later() {
    let bench = Bench::open().await;
    let service = format!("MG{}", "a".repeat(32));
    let form = [("To", ASHA), ("MessagingServiceSid", service.as_str()), ("Body", "hello")];
    let message = bench::json(bench.send(&form).await).await;
    assert_eq!(message["status"], "accepted");
    assert_eq!(message["messaging_service_sid"], service);
    assert_eq!((&message["from"], &message["num_segments"]), (&Value::Null, &json!("0")));
}

#[tokio::test]
async fn alphanumeric_senders_are_taken_and_long_texts_are_counted() {
    let bench = Bench::open().await;
    let hindi = "नमस्ते ".repeat(15);
    let message = bench::json(bench.send(&[("To", ASHA), ("From", "DGTMKT"), ("Body", &hindi)]).await).await;
    assert_eq!((&message["from"], &message["num_segments"]), (&json!("DGTMKT"), &json!("2")));
    assert_eq!(bench.inbox("?channel=sms").await[0]["body"], hindi);
}

#[tokio::test]
async fn what_twilio_refuses_is_refused_with_its_code() {
    let bench = Bench::open().await;
    let long = "a".repeat(1601);
    let far = format!("https://example.in/{}", "a".repeat(4000));
    let (to, from, body) = (("To", ASHA), ("From", SENDER), ("Body", "hello"));
    let refusals: &[(u16, &[(&str, &str)])] = &[
        (21604, &[]),
        (21604, &[from, body]),
        (21604, &[("To", ""), from, body]),
        (21603, &[to, body]),
        (21602, &[to, from]),
        (21211, &[("To", "9876543210"), from, body]),
        (21211, &[("To", "+15005550001"), from, body]),
        (21614, &[("To", "+912225551234"), from, body]),
        (21614, &[("To", "+15005550009"), from, body]),
        (21612, &[("To", "+15005550002"), from, body]),
        (21408, &[("To", "+15005550003"), from, body]),
        (21610, &[("To", "+15005550004"), from, body]),
        (21212, &[to, ("From", "far too long a name"), body]),
        (21212, &[to, ("From", "+15005550001"), body]),
        (21606, &[to, ("From", "+14155550100"), body]),
        (21606, &[to, ("From", "56767"), body]),
        (21611, &[to, ("From", "+15005550008"), body]),
        (21266, &[("To", SENDER), from, body]),
        (21617, &[to, from, ("Body", &long)]),
        (21624, &[to, from, body, ("ValidityPeriod", "0")]),
        (21624, &[to, from, body, ("ValidityPeriod", "36001")]),
        (21624, &[to, from, body, ("ValidityPeriod", "5m")]),
        (21609, &[to, from, body, ("StatusCallback", "/hooks")]),
        (21609, &[to, from, body, ("StatusCallback", "ftp://example.in/")]),
        (21609, &[to, from, body, ("StatusCallback", "https://my_host.in/")]),
        (21609, &[to, from, body, ("StatusCallback", &far)]),
        (21705, &[to, body, ("MessagingServiceSid", "MG12")]),
    ];
    for (code, form) in refusals {
        let answer = bench.send(form).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{code}");
        let error = bench::json(answer).await;
        assert_eq!(error["code"], *code, "{form:?}");
        assert_eq!(error["status"], 400);
        assert_eq!(error["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
    assert!(bench.inbox("").await.is_empty());
}

#[tokio::test]
async fn the_limits_themselves_are_taken() {
    let bench = Bench::open().await;
    let body = "न".repeat(1600);
    for validity in ["1", "36000"] {
        let form = [("To", ASHA), ("From", SENDER), ("Body", &body), ("ValidityPeriod", validity)];
        assert_eq!(bench.send(&form).await.status(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_has_no_fields() {
    let bench = Bench::open().await;
    let request = bench.twilio(Method::POST, "Messages.json");
    let answer = request.json(&json!({"To": ASHA, "From": SENDER, "Body": "hello"})).send().await.unwrap();
    assert_eq!(bench::json(answer).await["code"], 21604);
}

#[tokio::test]
async fn only_the_account_itself_is_let_in() {
    let bench = Bench::open().await;
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    let get = || bench.request(Method::GET, &path);
    for request in [
        get(),
        get().basic_auth(ACCOUNT, Some("wrong")),
        get().basic_auth("AC11111111111111111111111111111111", Some(TOKEN)),
        get().bearer_auth(TOKEN),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"Twilio API\"");
        assert_eq!(bench::json(answer).await["code"], 20003);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let bench = Bench::open().await;
    let other = "/2010-04-01/Accounts/AC11111111111111111111111111111111/Messages.json";
    for request in [
        bench.request(Method::POST, other).basic_auth(ACCOUNT, Some(TOKEN)),
        bench.twilio(Method::GET, "Messages/SM00000000000000000000000000000000.json"),
        bench.twilio(Method::GET, "Calls.json"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(bench::json(answer).await["code"], 20404);
    }
    let answer = bench.twilio(Method::DELETE, "Messages.json").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(bench::json(answer).await["code"], 20004);
}

#[tokio::test]
async fn the_list_is_paged_newest_first() {
    let bench = Bench::open().await;
    for body in ["1", "2", "3", "4", "5"] {
        assert_eq!(bench.send_sms(ASHA, body).await.status(), StatusCode::CREATED);
    }
    let base = format!("/2010-04-01/Accounts/{ACCOUNT}/");
    let mut next = Some("Messages.json?PageSize=2".to_owned());
    let mut pages = Vec::new();
    while let Some(path) = next {
        let page = bench::json(bench.twilio(Method::GET, &path).send().await.unwrap()).await;
        assert_eq!((&page["page"], &page["page_size"]), (&json!(pages.len()), &json!(2)));
        let bodies: Vec<_> = page["messages"].as_array().unwrap().iter().map(|m| m["body"].clone()).collect();
        pages.push(bodies);
        let uri = page["next_page_uri"].as_str();
        next = uri.map(|uri| uri.strip_prefix(&base).unwrap().to_owned());
        // A message that arrives meanwhile does not shift the pages.
        assert_eq!(bench.send_sms(ASHA, "later").await.status(), StatusCode::CREATED);
    }
    assert_eq!(json!(pages), json!([["5", "4"], ["3", "2"], ["1"]]));
}

#[tokio::test]
async fn the_list_is_filtered() {
    let bench = Bench::open().await;
    let ravi = "+919812345678";
    let first = bench::json(bench.send_sms(ASHA, "for asha").await).await;
    bench.send(&[("To", ravi), ("From", "DGTMKT"), ("Body", "for ravi")]).await;
    let created = DateTime::parse_from_rfc2822(first["date_created"].as_str().unwrap()).unwrap();
    let today = created.format("%Y-%m-%d").to_string();

    for (filter, value, expected) in [
        ("To", ASHA, vec!["for asha"]),
        ("From", "DGTMKT", vec!["for ravi"]),
        ("From", "OTHER", vec![]),
        ("DateSent>", "2000-01-01", vec!["for ravi", "for asha"]),
        ("DateSent<", "2000-01-01T00:00:00Z", vec![]),
        ("DateSent>", &today, vec!["for ravi", "for asha"]),
        ("DateSent", "2000-01-01", vec![]),
    ] {
        let request = bench.twilio(Method::GET, "Messages.json").query(&[(filter, value)]);
        let page = bench::json(request.send().await.unwrap()).await;
        let bodies: Vec<_> = page["messages"].as_array().unwrap().iter().map(|m| m["body"].clone()).collect();
        assert_eq!(json!(bodies), json!(expected), "{filter} {value}");
        assert_eq!(page["next_page_uri"], Value::Null);
    }
    let unreadable = bench.twilio(Method::GET, "Messages.json").query(&[("DateSent", "yesterday")]);
    assert_eq!(unreadable.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}
