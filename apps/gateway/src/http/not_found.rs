//! Paths that nothing answers: 404, or 405 with the methods that would be taken.

use std::collections::HashMap;

use actix_web::body::MessageBody;
use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};
use utoipa::openapi::{HttpMethod, OpenApi};

use super::error::ApiError;
use super::middleware::routed_path;

/// The paths there are, with the methods that each of them takes.
#[derive(Debug)]
pub(crate) struct KnownPaths {
    all: Vec<(ResourceDef, String)>,
    /// Those without parameters.
    literal: HashMap<String, String>,
}

impl KnownPaths {
    /// The paths of the document, which are those that run.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let known = document.paths.paths.iter().map(|(path, item)| {
            let methods = [
                (HttpMethod::Get, item.get.is_some()),
                (HttpMethod::Post, item.post.is_some()),
                (HttpMethod::Put, item.put.is_some()),
                (HttpMethod::Delete, item.delete.is_some()),
                (HttpMethod::Patch, item.patch.is_some()),
            ];
            let mut allow: Vec<_> =
                methods.into_iter().filter(|(_, there)| *there).map(|(method, _)| name(&method)).collect();
            if allow.contains(&"GET") {
                allow.push("HEAD");
            }
            (path.as_str(), allow.join(", "))
        });
        let known: Vec<_> = known.collect();
        let literal = known.iter().filter(|(path, _)| !path.contains('{'));
        Self {
            literal: literal.map(|(path, allow)| ((*path).to_owned(), allow.clone())).collect(),
            all: known.into_iter().map(|(path, allow)| (ResourceDef::new(path), allow)).collect(),
        }
    }

    /// The methods that a path without parameters takes, when this one is not among them.
    fn instead_of(&self, method: &str, path: &str) -> Option<&str> {
        let allow = self.literal.get(path)?;
        (!allow.split(", ").any(|taken| taken == method)).then_some(allow)
    }

    fn allow(&self, path: &str) -> Option<String> {
        self.all.iter().find(|(pattern, _)| pattern.is_match(path)).map(|(_, allow)| allow.clone())
    }
}

fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Head => "HEAD",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Trace => "TRACE",
    }
}

/// Keeps `PUT /api/categories/tree` from the route of `/api/categories/{id}`, which would look for a category `tree`.
pub(crate) async fn refuse_strange_methods(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let known = request.app_data::<web::Data<KnownPaths>>();
    let allow = known.and_then(|known| known.instead_of(request.method().as_str(), routed_path(&request)));
    match allow {
        Some(allow) => Err(ApiError::method_not_allowed(allow.to_owned()).into()),
        None => next.call(request).await,
    }
}

/// Answers whatever no route took.
pub(crate) async fn answer(request: HttpRequest) -> Result<actix_web::HttpResponse, ApiError> {
    let allow = request
        .app_data::<web::Data<KnownPaths>>()
        .and_then(|known| known.allow(request.match_info().as_str()));
    std::future::ready(()).await;
    Err(allow.map_or_else(ApiError::not_found, ApiError::method_not_allowed))
}
