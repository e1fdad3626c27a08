//! The outermost layer: whatever happens inside, the client gets an answer of ours, and the operator a line.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use tracing::Instrument;

use super::routed::{is_probe, is_socket, is_webhook};
use super::{client, headers, routed_path, trace};
use crate::http::error::ApiError;
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before anybody looks into it.
#[derive(Debug, Clone)]
pub(crate) struct RequestFacts {
    /// Its id.
    pub(crate) request_id: String,
    /// The client's address.
    pub(crate) client: IpAddr,
    /// Whether only its headers were asked for; it is answered as a GET.
    pub(crate) is_head: bool,
}

/// Counts a request as under way until it is dropped.
struct InFlight(web::Data<AppState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gives the request an id, keeps it within limits, and turns every outcome into an answer.
pub(crate) async fn handle_request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<web::Data<AppState>>().cloned() else {
        return Err(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into());
    };
    let started = Instant::now();
    let facts = RequestFacts {
        request_id: trace::request_id(request.headers(), &state.ambient),
        client: client::address(&request, &state.config.server.trusted_proxies),
        is_head: request.method() == Method::HEAD,
    };
    let span = tracing::info_span!("request", request.id = %facts.request_id, trace.id = trace::trace_id(request.headers()));
    request.extensions_mut().insert(facts.clone());
    let method = request.method().clone();
    if facts.is_head {
        // Whatever can be read can be asked for its headers; the body is cut off when the answer is written.
        request.head_mut().method = Method::GET;
    }
    let path = request.path().to_owned();
    let finished = |response: HttpResponse| finish(response, &facts, &path);
    let (result, route, status) = match answer(request, next, &state).instrument(span.clone()).await {
        Ok(response) => {
            let route = response.request().match_pattern();
            let (request, response) = response.into_parts();
            let response = finished(response);
            let status = response.status();
            (Ok(ServiceResponse::new(request, response)), route, status)
        }
        Err(error) => {
            // The request is gone with the error: the finished answer travels as an error itself.
            let response = finished(HttpResponse::from_error(error));
            let status = response.status();
            (Err(InternalError::from_response("answered", response).into()), None, status)
        }
    };
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    span.in_scope(|| record(&method, &route, status, started.elapsed()));
    result
}

/// What every answer gets on its way out.
fn finish(response: HttpResponse, facts: &RequestFacts, path: &str) -> HttpResponse {
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    // What a socket is refused is told as its protocol has it.
    let is_ours = is_failure && !is_socket(path);
    let mut response = if is_ours { as_problem(response, facts, path) } else { response };
    headers::add(response.headers_mut(), path);
    if let Ok(id) = HeaderValue::from_str(&facts.request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    state: &web::Data<AppState>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let path = routed_path(&request);
    let mut counted = None;
    if !is_webhook(path) && !is_socket(path) {
        let under_way = state.in_flight.fetch_add(1, Ordering::Relaxed);
        counted = Some(InFlight(state.clone()));
        if under_way >= state.config.server.max_concurrent_requests && !is_probe(path) {
            let text = "too many requests are under way";
            let busy = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", text);
            return Err(busy.retry_after(Duration::from_secs(1)).into());
        }
    }
    let limit = match path {
        // The handler bounds how long the body may take; what has been read is written down, come what may.
        path if is_webhook(path) || is_socket(path) => Duration::MAX,
        // Pictures come slowly from phones that are on the road.
        "/api/uploads" => Duration::from_millis(state.config.media.upload_timeout_ms),
        _ => Duration::from_millis(state.config.server.request_timeout_ms),
    };
    // A poll is for whoever waits for it; what somebody asked for goes on to its end though they go away.
    let ends_with_client = is_socket(path);
    let guarded = AssertUnwindSafe(next.call(request)).catch_unwind();
    let handled = async move {
        let _counted = counted;
        tokio::time::timeout(limit, guarded).await
    };
    let outcome = match ends_with_client {
        true => Ok(handled.await),
        false => actix_web::rt::spawn(handled.in_current_span()).await,
    };
    match outcome {
        Ok(Ok(Ok(response))) => response.map(ServiceResponse::map_into_boxed_body),
        // The panic hook has written it to the log; or the server has been stopped.
        Ok(Ok(Err(_))) | Err(_) => Err(ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR).into()),
        Ok(Err(_)) => {
            let late =
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "timed_out", "the request took too long");
            Err(late.retry_after(Duration::from_secs(1)).into())
        }
    }
}

/// Writes the body of a failure, our own or the framework's.
fn as_problem(response: HttpResponse, facts: &RequestFacts, path: &str) -> HttpResponse {
    let status = response.status();
    let ours = response.extensions().get::<ApiError>().cloned();
    let error = ours.unwrap_or_else(|| ApiError::of_status(status));
    let mut rewritten = error.error_response();
    for (name, value) in response.headers() {
        if *name != CONTENT_TYPE {
            rewritten.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let body = serde_json::to_string(&error.problem(&facts.request_id, path)).unwrap_or_default();
    rewritten.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    rewritten.set_body(BoxBody::new(body))
}

/// One line and one measurement per request, by the route's template and never by its path.
fn record(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => known.to_owned(),
        _ => "_OTHER".to_owned(),
    };
    let labels = [
        ("http_request_method", method.clone()),
        ("http_route", route.to_owned()),
        ("http_response_status_code", status.as_u16().to_string()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(took.as_secs_f64());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        duration_us = micros,
        "answered"
    );
}
