//! The OpenAPI 3.1 document, gathered from the routes that run.

use std::sync::OnceLock;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, web};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    Content, Header, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response, ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_actix_web::AppExt;

use super::Routes;
use super::error::{ApiError, Problem};

/// The document of everything that runs.
pub fn document() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(skeleton())
        .configure(|config| super::routes(&mut Routes::Described(config)))
        .split_for_parts();
    for item in document.paths.paths.values_mut() {
        for (operation, takes_body) in [
            (&mut item.get, false),
            (&mut item.post, true),
            (&mut item.put, true),
            (&mut item.delete, false),
            (&mut item.patch, true),
        ] {
            if let Some(operation) = operation {
                add_replays(operation);
                add_problems(operation, takes_body);
            }
        }
    }
    document
}

fn skeleton() -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("DGT Marketplace")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "A classifieds marketplace. Amounts are paise, times are UTC. Every failure is an RFC 9457 problem.",
                ))
                .build(),
        )
        .build();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.schemas.insert("Problem".to_owned(), Problem::schema());
    let mut nested = Vec::new();
    Problem::schemas(&mut nested);
    components.schemas.extend(nested);
    document
}

/// Where a key can be given, what is kept under it may come again: successes and conflicts.
fn add_replays(operation: &mut Operation) {
    let takes_key = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == "Idempotency-Key",
        RefOr::Ref(_) => false,
    });
    if !takes_key {
        return;
    }
    let mut header = Header::new(String::schema());
    header.description = Some("`true` when this is the first answer under the key once more".to_owned());
    for status in ["200", "201", "409"] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            response.headers.insert("Idempotent-Replayed".to_owned(), RefOr::T(header.clone()));
        }
    }
}

/// What any operation may answer, so that no handler has to say it again.
fn add_problems(operation: &mut Operation, takes_body: bool) {
    let has_input = takes_body || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let needs_login = operation.security.as_ref().is_some_and(|all| !all.is_empty());
    let mut statuses =
        vec![("429", "Too many requests; see `Retry-After`"), ("503", "Not possible right now")];
    if has_input {
        statuses.push(("400", "The input is not valid; see `errors`"));
    }
    if needs_login {
        statuses.push(("401", "Nobody is logged in"));
        statuses.push(("403", "Not allowed"));
    }
    if takes_body && operation.request_body.is_some() {
        statuses.push(("413", "The body is too large"));
        statuses.push(("415", "The content type is not taken"));
    }
    let has_path_parameter = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => matches!(parameter.parameter_in, utoipa::openapi::path::ParameterIn::Path),
        RefOr::Ref(_) => false,
    });
    if has_path_parameter {
        statuses.push(("404", "There is no such thing, or not for the one who asks"));
    }
    for (status, description) in statuses {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(description)));
    }
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", Content::new(Some(schema)))
        .build()
}

/// The document as JSON.
///
/// # Errors
/// When it cannot be written, which would be a fault of a schema.
pub fn json() -> serde_json::Result<String> {
    document().to_json()
}

/// The document as it is served. Most processes are never asked for it, so it is gathered when somebody asks first:
/// that takes some megabytes and milliseconds.
static SERVED: OnceLock<Bytes> = OnceLock::new();

/// Answers with the document.
pub(crate) async fn serve() -> Result<HttpResponse, ApiError> {
    let document = match SERVED.get() {
        Some(document) => document.clone(),
        None => gather().await?,
    };
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

async fn gather() -> Result<Bytes, ApiError> {
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(%error, "the document of the API cannot be gathered");
        ApiError::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    };
    let written = web::block(json).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    Ok(SERVED.get_or_init(|| Bytes::from(written)).clone())
}
