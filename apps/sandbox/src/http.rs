//! The sandbox's HTTP side: which path leads where.

use std::io;

use actix_web::body::BodyStream;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use futures_util::stream;
use serde_json::json;

use crate::problem::Problem;
use crate::{faults, fcm, inbox, razorpay, twilio};

/// Every route of the sandbox.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/livez", web::get().to(livez))
        .service(inbox::resource())
        .service(faults::resource())
        .service(twilio::scope())
        .service(twilio::control())
        // Before Razorpay's, which takes everything else below /v1.
        .configure(fcm::routes)
        .service(razorpay::scope())
        .service(razorpay::pay_page())
        .configure(razorpay::control_routes)
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

/// Closes the connection without an answer.
pub(crate) fn hang_up() -> HttpResponse {
    // A body that fails before its first byte makes actix close the connection before it has written the head, so
    // the client sees no answer at all.
    let lost: io::Result<web::Bytes> = Err(io::Error::other("dropped, as a fault asks for"));
    HttpResponse::Ok().body(BodyStream::new(stream::iter([lost])))
}
