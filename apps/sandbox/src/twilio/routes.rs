//! `/2010-04-01`: faults first, then who is asking, then what for.

use std::sync::{Arc, OnceLock};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Scope, web};

use super::error::{ApiError, Refusal};
use super::listing::{Page, Query};
use super::message::{Message, Resource};
use super::send;
use crate::faults::{Outcome, Target};
use crate::inbox::{Channel, Letter};
use crate::stage::Stage;

/// The routes of Twilio's API.
pub(crate) fn scope() -> Scope {
    web::scope("/2010-04-01")
        .service(
            web::resource("/Accounts/{account}/Messages.json")
                .route(web::post().to(create))
                .route(web::get().to(list))
                .default_service(web::to(method_not_allowed)),
        )
        .service(
            web::resource("/Accounts/{account}/Messages/{message}.json")
                .route(web::get().to(fetch))
                .default_service(web::to(method_not_allowed)),
        )
        .default_service(web::to(unknown))
}

async fn create(
    request: HttpRequest,
    stage: web::Data<Stage>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let copies = admit(&request, &stage).await?;
    let form = if is_form(&request) { body.as_ref() } else { &[] };
    let (draft, status_callback) = send::parse(form, &stage.account)?;
    let message = Arc::new(Message {
        sid: format!("SM{}", hex::encode(stage.ambient.random_bytes::<16>())),
        created: stage.ambient.now(),
        draft,
        status_callback,
        end: OnceLock::new(),
    });
    stage.messages.push(Arc::clone(&message));
    let letter = Letter {
        channel: Channel::Sms,
        to: &message.draft.to,
        subject: None,
        body: &message.draft.body,
        dlt_template_id: message.draft.dlt_template_id.as_deref(),
    };
    stage.deliver(copies, letter);
    let answer = HttpResponse::Created().json(Resource::new(stage.account.sid(), &message));
    stage.callbacks.follow(&message);
    Ok(answer)
}

async fn fetch(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    stage: web::Data<Stage>,
) -> Result<HttpResponse, Refusal> {
    admit(&request, &stage).await?;
    let (_, sid) = path.into_inner();
    let message = stage.messages.get(&sid).ok_or_else(|| ApiError::not_found(request.path()))?;
    Ok(HttpResponse::Ok().json(Resource::new(stage.account.sid(), &message)))
}

async fn list(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    admit(&request, &stage).await?;
    let query = Query::parse(request.query_string())?;
    let (messages, more) = query.select(stage.messages.all());
    Ok(HttpResponse::Ok().json(Page::new(&request, &query, stage.account.sid(), &messages, more)))
}

async fn method_not_allowed(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    admit(&request, &stage).await?;
    Err(ApiError::method_not_allowed().into())
}

async fn unknown(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Refusal> {
    admit(&request, &stage).await?;
    Err(ApiError::not_found(request.path()).into())
}

/// Lets a call in: through the fault in force, with the account's credentials, to the account's own resources.
/// Tells how many copies a message of this call leaves in the inbox.
async fn admit(request: &HttpRequest, stage: &Stage) -> Result<usize, Refusal> {
    let copies = match stage.faults.take(Target::Twilio).begin().await {
        Outcome::Serve { copies } => copies,
        Outcome::Fail { code } => return Err(ApiError::injected(code).into()),
        Outcome::Drop => return Err(Refusal::Silence),
    };
    let authorization = request.headers().get(header::AUTHORIZATION);
    stage.account.authenticate(authorization.and_then(|value| value.to_str().ok()))?;
    match request.match_info().get("account") {
        Some(account) if account != stage.account.sid() => Err(ApiError::not_found(request.path()).into()),
        _ => Ok(copies),
    }
}

/// Twilio reads forms only; any other body is to it as if no field had been sent.
fn is_form(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}
