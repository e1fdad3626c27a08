//! The sandbox's HTTP side: which path leads where.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::problem::Problem;
use crate::{faults, inbox, twilio};

/// Every route of the sandbox.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/livez", web::get().to(livez))
        .service(inbox::resource())
        .service(faults::resource())
        .service(twilio::scope())
        .default_service(web::to(unknown));
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn unknown() -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::NOT_FOUND, "the sandbox has no such path"))
}

/// Answers a method that a resource of the sandbox's own does not have.
pub(crate) async fn method_not_allowed() -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method"))
}
