//! `/v1`: faults first, then who is asking, then what for.

mod fields;
mod orders;
mod payments;
mod refunds;
mod window;

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Resource, Scope, web};
use serde_json::Value;

use super::Razorpay;
use super::error::{ApiError, Refusal};
use crate::faults::{Call, Outcome, Target};
use crate::stage::Stage;

/// The routes of Razorpay's API.
pub(crate) fn scope() -> Scope {
    web::scope("/v1")
        .service(resource("/orders").route(web::post().to(orders::create)).route(web::get().to(orders::list)))
        .service(resource("/orders/{order}").route(web::get().to(orders::fetch)))
        .service(resource("/orders/{order}/payments").route(web::get().to(orders::payments)))
        .service(resource("/payments").route(web::get().to(payments::list)))
        .service(resource("/payments/{payment}").route(web::get().to(payments::fetch)))
        .service(resource("/payments/{payment}/capture").route(web::post().to(payments::capture)))
        .service(resource("/payments/{payment}/refund").route(web::post().to(refunds::create)))
        .service(resource("/payments/{payment}/refunds").route(web::get().to(refunds::of_payment)))
        .service(
            resource("/payments/{payment}/refunds/{refund}").route(web::get().to(refunds::one_of_payment)),
        )
        .service(resource("/refunds").route(web::get().to(refunds::list)))
        .service(resource("/refunds/{refund}").route(web::get().to(refunds::fetch)))
        .default_service(web::to(unknown))
}

/// A path; another method than its own is to Razorpay as if there were no such path.
fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(unknown))
}

async fn unknown(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    read(&request, &stage, |_| Err(ApiError::no_such_url())).await
}

/// A call that only looks.
async fn read(
    request: &HttpRequest,
    stage: &Stage,
    work: impl Fn(&Arc<Razorpay>) -> Result<Value, ApiError> + Send + 'static,
) -> Result<HttpResponse, Refusal> {
    carry_out(request, stage, Call::Read, |_| Ok(()), work).await
}

/// Carries out a call: through the fault in force, with the account's key. `begin` comes before the fault's delay and
/// `work` after it, twice if the fault says so. Both go on if the caller hangs up.
async fn carry_out(
    request: &HttpRequest,
    stage: &Stage,
    call: Call,
    begin: impl FnOnce(&Arc<Razorpay>) -> Result<(), ApiError> + Send + 'static,
    work: impl Fn(&Arc<Razorpay>) -> Result<Value, ApiError> + Send + 'static,
) -> Result<HttpResponse, Refusal> {
    let razorpay = Arc::clone(&stage.razorpay);
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let effect = stage.faults.take_for(Target::Razorpay, Some(call));
    let task = stage.razorpay.background.spawn(async move {
        if !effect.after && !matches!(effect.outcome, Outcome::Serve { .. }) {
            return Err(injected(effect.begin().await));
        }
        razorpay.key.authenticate(authorization.as_deref())?;
        begin(&razorpay)?;
        let outcome = effect.begin().await;
        let answer = work(&razorpay);
        match outcome {
            Outcome::Serve { copies } => {
                // The repetition of a call by something on its way: its answer goes nowhere.
                (1..copies).for_each(|_| drop(work(&razorpay)));
                answer.map_err(Refusal::from)
            }
            lost => Err(injected(lost)),
        }
    });
    match task.await {
        Ok(Some(answer)) => Ok(HttpResponse::Ok().json(answer?)),
        Ok(None) | Err(_) => Err(Refusal::Silence),
    }
}

fn injected(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Fail { code } => ApiError::injected(code).into(),
        Outcome::Drop | Outcome::Serve { .. } => Refusal::Silence,
    }
}
