//! Probes for operators and proxies. No API module: no login, no rate limit, no PII.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use subtle::ConstantTimeEq;

use super::error::{ApiError, ApiResult, Problem};
use crate::http::Routes;
use crate::state::AppState;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes.service(livez).service(readyz).service(health).service(metrics);
}

/// The state of the service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The version that runs.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process is alive, whatever it depends on.
#[utoipa::path(tag = "health", operation_id = "livez", responses((status = 200, description = "Alive", body = Health)), extensions(("x-authority" = json!("public"))))]
#[get("/livez")]
async fn livez() -> web::Json<Health> {
    std::future::ready(()).await;
    web::Json(OK)
}

/// Whether the process takes requests: the database answers within a second, and no shutdown has begun. That the
/// schema is current is checked once, before the process opens its door.
#[utoipa::path(tag = "health", operation_id = "readyz", responses((status = 200, description = "Ready", body = Health)), extensions(("x-authority" = json!("public"))))]
#[get("/readyz")]
async fn readyz(state: web::Data<AppState>) -> ApiResult<web::Json<Health>> {
    let not_ready = |code, detail: &str| Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, detail));
    if !state.ready.load(Ordering::Relaxed) {
        return not_ready("draining", "a shutdown has begun");
    }
    match tokio::time::timeout(Duration::from_secs(1), state.db.ping()).await {
        Ok(Ok(())) => Ok(web::Json(OK)),
        _ => not_ready("database_unavailable", "the database does not answer"),
    }
}

/// Whether the service is well, for people and uptime checks: the database answers within a second. Unlike `/readyz`
/// it stays 200 while a shutdown drains requests, which is no fault.
#[utoipa::path(tag = "health", operation_id = "health", responses((status = 200, description = "Well", body = Health)), extensions(("x-authority" = json!("public"))))]
#[get("/health")]
async fn health(state: web::Data<AppState>) -> ApiResult<web::Json<Health>> {
    match tokio::time::timeout(Duration::from_secs(1), state.db.ping()).await {
        Ok(Ok(())) => Ok(web::Json(OK)),
        _ => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "database_unavailable",
            "the database does not answer",
        )),
    }
}

/// Measurements in Prometheus' text format; for this host alone, or with the token that is configured.
#[utoipa::path(
    tag = "health",
    operation_id = "metrics",
    responses((status = 200, description = "The measurements", body = String, content_type = "text/plain",
               example = json!("http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/api/listings\",http_response_status_code=\"200\"} 42")),
              (status = 404, description = "Not for you", body = Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("public")))
)]
#[get("/metrics")]
async fn metrics(request: HttpRequest, state: web::Data<AppState>) -> ApiResult<HttpResponse> {
    std::future::ready(()).await;
    if !may_read_metrics(&request, &state) {
        return Err(ApiError::not_found());
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(state.metrics.render()))
}

fn may_read_metrics(request: &HttpRequest, state: &AppState) -> bool {
    use secrecy::ExposeSecret;

    if let Some(token) = &state.config.metrics.token {
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        return bool::from(given.as_bytes().ct_eq(token.expose_secret().as_bytes()));
    }
    let is_forwarded =
        request.headers().contains_key("x-forwarded-for") || request.headers().contains_key("forwarded");
    request.peer_addr().is_some_and(|peer| peer.ip().is_loopback()) && !is_forwarded
}
