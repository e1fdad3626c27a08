//! `messages:send`: faults first, then who is asking, then what for.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use serde_json::json;

use super::error::{ApiError, Refusal};
use super::message::{self, Push, Target};
use super::{FCM_PROJECT, FcmTokenState};
use crate::faults::{Outcome, Target as FaultTarget};
use crate::http::method_not_allowed;
use crate::inbox::{Channel, Letter};
use crate::stage::Stage;

/// `POST /v1/projects/{project}/messages:send`.
pub(super) fn resource() -> Resource {
    web::resource("/v1/projects/{project}/messages:send")
        .route(web::post().to(send))
        .default_service(web::to(method_not_allowed))
}

async fn send(
    request: HttpRequest,
    project: web::Path<String>,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let copies = match stage.faults.take(FaultTarget::Fcm).begin().await {
        Outcome::Serve { copies } => copies,
        Outcome::Fail { code } => return Err(ApiError::injected(code).into()),
        Outcome::Drop => return Err(Refusal::Silence),
    };
    let authorization = request.headers().get(header::AUTHORIZATION);
    stage.fcm.admit(authorization.and_then(|value| value.to_str().ok()), stage.ambient.now())?;
    if *project != FCM_PROJECT {
        return Err(ApiError::other_project(&project).into());
    }
    let push = message::parse(&body).map_err(|violations| ApiError::wrong_message(&violations))?;
    deliver(&stage, &push, copies)?;
    let id = hex::encode(stage.ambient.random_bytes::<8>());
    Ok(HttpResponse::Ok().json(json!({"name": format!("projects/{FCM_PROJECT}/messages/0:{id}")})))
}

fn deliver(stage: &Stage, push: &Push, copies: usize) -> Result<(), ApiError> {
    let tokens = match &push.target {
        Target::Topic(topic) => stage.fcm.subscribers(topic),
        Target::Device(token) => {
            // Real ones are far longer; what is shorter or holds other characters never was one.
            let is_token =
                token.len() >= 4 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b));
            if !is_token {
                return Err(ApiError::wrong_token());
            }
            match stage.fcm.device(token) {
                FcmTokenState::Alive => {}
                FcmTokenState::Unregistered => return Err(ApiError::unregistered()),
                FcmTokenState::SenderMismatch => return Err(ApiError::sender_mismatch()),
            }
            vec![token.clone()]
        }
        // Nothing here subscribes by condition.
        Target::Condition => Vec::new(),
    };
    if !push.validate_only {
        for token in tokens {
            let letter = Letter {
                channel: Channel::Push,
                to: &token,
                subject: push.title.as_deref(),
                body: &push.body,
                dlt_template_id: None,
            };
            stage.deliver(copies, letter);
        }
    }
    Ok(())
}
