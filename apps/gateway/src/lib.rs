//! The gateway: HTTP in front of the marketplace, configuration, and the process's loops. Thin on purpose: what is
//! decided is decided in the domains and flows.

pub mod config;
mod gauges;
mod http;
mod realtime;
mod senders;
mod serve;
mod state;
pub mod telemetry;
mod wiring;
mod workers;

use actix_cors::Cors;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, Error, web};
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

pub use self::gauges::measure_once;
pub use self::realtime::{Live, LiveError};
pub use http::openapi;
pub use senders::SendersError;
pub use serve::{ServeError, serve, work};
pub use state::AppState;
pub use wiring::{WiringError, connect, marketplace};

use crate::http::middleware::{handle_request, limit_rate};

/// The whole application; one per server thread, or in-process in a test.
pub fn create_app(
    state: web::Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let limit = state.config.server.body_limit_bytes;
    let live = state.live.clone();
    let cors = cors(&state.config.server.cors_origins);
    App::new()
        .app_data(state)
        .app_data(web::PayloadConfig::new(limit))
        .configure(|config| http::routes(&mut http::Routes::Served(config)))
        .configure(|config| live.mount(config))
        .service(web::redirect("/docs", "/docs/"))
        .route("/api/openapi.json", web::get().to(openapi::serve))
        .service(SwaggerUi::new("/docs/{_:.*}").config(SwaggerConfig::from("/api/openapi.json")))
        .default_service(web::to(http::answer_unknown))
        .wrap(from_fn(http::refuse_strange_methods))
        .wrap(from_fn(limit_rate))
        .wrap(Compress::default())
        .wrap(cors)
        .wrap(from_fn(handle_request))
}

/// Exactly the origins that are listed; `null` and unlisted ones are refused, and nothing is ever `*`.
fn cors(origins: &[String]) -> Cors {
    origins
        .iter()
        .filter(|origin| *origin != "null" && *origin != "*")
        .fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .allowed_header("Idempotency-Key")
        .allowed_header("X-Request-Id")
        .expose_headers([
            "ETag",
            "Idempotent-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-Id",
        ])
        .max_age(3600)
}
