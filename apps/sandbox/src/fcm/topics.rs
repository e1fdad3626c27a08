//! Topics: `iid/v1:batchAdd` and `:batchRemove` (developers.google.com/instance-id/reference/server).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Refusal;
use super::{FcmTokenState, message};
use crate::http::method_not_allowed;
use crate::stage::Stage;

/// The most tokens that one call takes.
const BATCH: usize = 1_000;

/// `POST /iid/v1:batchAdd` and `POST /iid/v1:batchRemove`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/iid/v1:batchAdd")
                .route(web::post().to(add))
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/iid/v1:batchRemove")
                .route(web::post().to(remove))
                .default_service(web::to(method_not_allowed)),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    to: String,
    registration_tokens: Vec<String>,
}

async fn add(
    request: HttpRequest,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    change(&request, &stage, &body, true)
}

async fn remove(
    request: HttpRequest,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    change(&request, &stage, &body, false)
}

fn change(request: &HttpRequest, stage: &Stage, body: &[u8], adds: bool) -> Result<HttpResponse, Refusal> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    stage.fcm.admit(text(header::AUTHORIZATION.as_str()), stage.ambient.now())?;
    // Without it the service takes the token for one of its own, older keys.
    if text("access_token_auth") != Some("true") {
        return Ok(refuse("InvalidToken"));
    }
    let Ok(asked) = serde_json::from_slice::<Change>(body) else {
        return Ok(refuse("InvalidRequest"));
    };
    let topic = asked.to.strip_prefix("/topics/").filter(|topic| message::is_topic(topic));
    let Some(topic) = topic else {
        return Ok(refuse("InvalidTopicName"));
    };
    if asked.registration_tokens.is_empty() || asked.registration_tokens.len() > BATCH {
        return Ok(refuse("InvalidNumberOfTokens"));
    }
    let results: Vec<Value> = asked
        .registration_tokens
        .iter()
        .map(|token| match stage.fcm.device(token) {
            FcmTokenState::Unregistered => json!({"error": "NOT_FOUND"}),
            FcmTokenState::SenderMismatch => json!({"error": "INVALID_ARGUMENT"}),
            FcmTokenState::Alive => {
                let mut state = stage.fcm.state();
                let tokens = state.topics.entry(topic.to_owned()).or_default();
                if adds {
                    tokens.insert(token.clone());
                } else {
                    tokens.remove(token);
                }
                json!({})
            }
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"results": results})))
}

fn refuse(error: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::BAD_REQUEST).json(json!({"error": error}))
}
