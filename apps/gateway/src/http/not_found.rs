//! Paths that nothing answers: 404, or 405 with the methods that would be taken.

use std::collections::{BTreeMap, HashMap};

use actix_web::body::MessageBody;
use actix_web::dev::{ResourceDef, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::ApiError;
use super::middleware::routed_path;

/// The paths there are, with the methods that each of them takes.
#[derive(Debug)]
pub(crate) struct KnownPaths {
    all: Vec<(ResourceDef, String)>,
    /// Those without parameters.
    literal: HashMap<String, String>,
}

/// The document, as far as it matters here.
#[derive(Deserialize)]
struct Described {
    paths: BTreeMap<String, BTreeMap<String, IgnoredAny>>,
}

impl KnownPaths {
    /// The paths of the document, which are those that run.
    ///
    /// # Errors
    /// When it is no such document.
    pub(crate) fn of(document: &str) -> serde_json::Result<Self> {
        let described: Described = serde_json::from_str(document)?;
        let known = described.paths.into_iter().map(|(path, operations)| {
            let there = |method: &&str| operations.contains_key(&method.to_ascii_lowercase());
            let mut allow: Vec<_> =
                ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(there).collect();
            if allow.contains(&"GET") {
                allow.push("HEAD");
            }
            (path, allow.join(", "))
        });
        let known: Vec<_> = known.collect();
        let literal = known.iter().filter(|(path, _)| !path.contains('{')).cloned().collect();
        let all = known.into_iter().map(|(path, allow)| (ResourceDef::new(path), allow)).collect();
        Ok(Self { literal, all })
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
