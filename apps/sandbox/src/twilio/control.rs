//! `/control/twilio/callbacks`: what becomes of messages.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, web};
use kernel::InvalidInput;
use serde::Deserialize;

use super::callback::{CallbackBehaviour, SmsOutcome};
use crate::http::method_not_allowed;
use crate::problem::Problem;
use crate::stage::Stage;

/// The most copies and the longest delay (an hour).
const MAX_DUPLICATE: u32 = 100;
const MAX_DELAY_MS: u64 = 3_600_000;

/// `POST /control/twilio/callbacks`.
pub(crate) fn resource() -> Resource {
    web::resource("/control/twilio/callbacks")
        .route(web::post().to(behave))
        .default_service(web::to(method_not_allowed))
}

/// What is not told is as usual again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Behaviour {
    #[serde(default)]
    outcome: SmsOutcome,
    error_code: Option<u32>,
    #[serde(default)]
    duplicate: u32,
    #[serde(default)]
    shuffle: bool,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    drop: bool,
}

async fn behave(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let asked: Behaviour = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    for (field, asked, most) in [
        ("duplicate", asked.duplicate.into(), MAX_DUPLICATE.into()),
        ("delayMs", asked.delay_ms, MAX_DELAY_MS),
    ] {
        if asked > most {
            return Err(InvalidInput::field(field, "out_of_range", format!("must be at most {most}")).into());
        }
    }
    stage.callbacks.behave(CallbackBehaviour {
        outcome: asked.outcome,
        error_code: asked.error_code,
        duplicate: asked.duplicate,
        shuffle: asked.shuffle,
        delay: Duration::from_millis(asked.delay_ms),
        drop: asked.drop,
    });
    Ok(HttpResponse::NoContent().finish())
}
