//! `/control/fcm`: what happens to devices, and the key that the gateway is configured with.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{FCM_SERVICE_ACCOUNT, FcmTokenState};
use crate::http::method_not_allowed;
use crate::problem::Problem;
use crate::stage::Stage;

/// The routes under `/control/fcm`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/control/fcm/tokens")
                .route(web::post().to(set))
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/control/fcm/service-account")
                .route(web::get().to(service_account))
                .default_service(web::to(method_not_allowed)),
        );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    token: String,
    state: FcmTokenState,
}

async fn set(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let asked: Change = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    stage.fcm.set_token(&asked.token, asked.state);
    Ok(HttpResponse::NoContent().finish())
}

async fn service_account() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(FCM_SERVICE_ACCOUNT)
}
