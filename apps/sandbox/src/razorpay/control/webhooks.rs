//! What becomes of webhooks.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use kernel::InvalidInput;
use secrecy::SecretString;
use serde::Deserialize;

use super::parse;
use crate::problem::Problem;
use crate::razorpay::config::parse_webhook_url;
use crate::razorpay::webhooks::WebhookBehaviour;
use crate::stage::Stage;

/// The most copies and the longest delay (an hour).
const MAX_DUPLICATE: u32 = 100;
const MAX_DELAY_MS: u64 = 3_600_000;

/// How webhooks are to misbehave; what is not told is as usual again, but for the URL, which stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Behaviour {
    #[serde(default)]
    duplicate: u32,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    drop: bool,
    secret: Option<SecretString>,
    url: Option<String>,
}

pub(super) async fn behave(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let asked: Behaviour = parse(&body)?;
    if asked.duplicate > MAX_DUPLICATE {
        let rule = format!("must be at most {MAX_DUPLICATE}");
        return Err(InvalidInput::field("duplicate", "out_of_range", rule).into());
    }
    if asked.delay_ms > MAX_DELAY_MS {
        let rule = format!("must be at most {MAX_DELAY_MS}");
        return Err(InvalidInput::field("delayMs", "out_of_range", rule).into());
    }
    if let Some(url) = asked.url {
        let url = parse_webhook_url(&url)
            .map_err(|error| InvalidInput::field("url", "not_loopback", error.to_string()))?;
        stage.razorpay.webhooks.send_to(url);
    }
    stage.razorpay.webhooks.behave(WebhookBehaviour {
        duplicate: asked.duplicate,
        shuffle: asked.shuffle,
        delay: Duration::from_millis(asked.delay_ms),
        drop: asked.drop,
        secret: asked.secret,
    });
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn list(stage: web::Data<Stage>) -> HttpResponse {
    HttpResponse::Ok().json(stage.razorpay.webhooks.views())
}

/// Which event is sent once more.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Replay {
    event_id: String,
}

pub(super) async fn replay(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let Replay { event_id } = parse(&body)?;
    if stage.razorpay.webhooks.replay(&event_id) {
        Ok(HttpResponse::Accepted().finish())
    } else {
        Err(Problem::new(StatusCode::NOT_FOUND, "there is no such event on record"))
    }
}
