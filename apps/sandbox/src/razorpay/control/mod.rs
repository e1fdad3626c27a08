//! `/control`: what a person would do by hand, for programs. A refusal is a problem of RFC 9457.

mod payments;
mod webhooks;

use actix_web::http::StatusCode;
use actix_web::{Resource, web};
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::http::method_not_allowed;
use crate::problem::Problem;

/// The routes of what is done to the account.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/control/orders/{order}/pay").route(web::post().to(payments::pay)))
        .service(resource("/control/payments").route(web::post().to(payments::pay_outside)))
        .service(resource("/control/payments/{payment}/settle").route(web::post().to(payments::settle)))
        .service(resource("/control/payments/{payment}/refund").route(web::post().to(payments::refund)))
        .service(resource("/control/refunds/{refund}").route(web::post().to(payments::finish_refund)))
        .service(
            resource("/control/webhooks")
                .route(web::get().to(webhooks::list))
                .route(web::post().to(webhooks::behave)),
        )
        .service(resource("/control/webhooks/replay").route(web::post().to(webhooks::replay)));
}

fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

/// Reads a JSON body; an empty one has no fields.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))
}

fn problem(error: ApiError) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, error.to_string())
}
