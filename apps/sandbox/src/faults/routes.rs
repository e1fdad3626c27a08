//! `/control/faults`: sets, shows and clears faults.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, Resource, web};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Call, Fault, InForce, Outcome, parse};
use crate::http::method_not_allowed;
use crate::problem::Problem;
use crate::stage::Stage;

/// The routes under `/control/faults`.
pub(crate) fn resource() -> Resource {
    web::resource("/control/faults")
        .route(web::post().to(set))
        .route(web::get().to(show))
        .route(web::delete().to(clear))
        .default_service(web::to(method_not_allowed))
}

async fn set(stage: web::Data<Stage>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let body: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body must be a JSON object: {error}"))
    })?;
    let (target, fault) = parse::parse(body)?;
    stage.faults.set(target, fault);
    tracing::info!(?target, ?fault, "fault set");
    Ok(show(stage).await)
}

async fn show(stage: web::Data<Stage>) -> HttpResponse {
    HttpResponse::Ok().json(FaultsView::from(stage.faults.show()))
}

async fn clear(stage: web::Data<Stage>) -> HttpResponse {
    stage.faults.clear();
    HttpResponse::NoContent().finish()
}

/// The fault of each target, or null.
#[derive(Serialize)]
struct FaultsView {
    twilio: Option<FaultView>,
    smtp: Option<FaultView>,
    razorpay: Option<FaultView>,
    fcm: Option<FaultView>,
}

/// A fault in force. `times` counts down; null is until cleared.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FaultView {
    delay_ms: u128,
    error: Option<u16>,
    drop: bool,
    duplicate: bool,
    times: Option<u32>,
    after: bool,
    call: Option<Call>,
}

impl From<InForce> for FaultsView {
    fn from(in_force: InForce) -> Self {
        Self {
            twilio: in_force.twilio.map(FaultView::from),
            smtp: in_force.smtp.map(FaultView::from),
            razorpay: in_force.razorpay.map(FaultView::from),
            fcm: in_force.fcm.map(FaultView::from),
        }
    }
}

impl From<Fault> for FaultView {
    fn from(Fault { effect, times, call }: Fault) -> Self {
        Self {
            delay_ms: effect.delay.as_millis(),
            error: match effect.outcome {
                Outcome::Fail { code } => Some(code),
                Outcome::Serve { .. } | Outcome::Drop => None,
            },
            drop: effect.outcome == Outcome::Drop,
            duplicate: matches!(effect.outcome, Outcome::Serve { copies } if copies > 1),
            times,
            after: effect.after,
            call,
        }
    }
}
