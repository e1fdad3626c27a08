//! Paths that nothing answers: 404, or 405 with the methods that would be taken.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest};
use utoipa::openapi::HttpMethod;

use super::Routes;
use super::error::ApiError;
use super::middleware::routed_path;

/// The paths of the API.
static KNOWN: LazyLock<KnownPaths> = LazyLock::new(|| {
    let mut known = KnownPaths::default();
    super::routes(&mut Routes::Listed(&mut known));
    known
});

/// Paths, with the methods that each of them takes.
#[derive(Debug, Default)]
pub(crate) struct KnownPaths {
    /// Those without parameters.
    literal: BTreeMap<String, Methods>,
    /// Those with parameters, which stand in braces in place of one segment.
    patterns: BTreeMap<String, Methods>,
}

/// The methods of a path, in the order in which they are told.
#[derive(Debug, Default)]
struct Methods(Vec<&'static str>);

impl Methods {
    /// As the header `Allow` has them.
    fn allow(&self) -> String {
        self.0.join(", ")
    }
}

impl KnownPaths {
    /// Adds what takes these methods at a path.
    pub(crate) fn add(&mut self, path: &str, methods: Vec<HttpMethod>) {
        let kind = if path.contains('{') { &mut self.patterns } else { &mut self.literal };
        let known = &mut kind.entry(path.to_owned()).or_default().0;
        known.extend(methods.iter().flat_map(names));
    }

    /// The methods that a path without parameters takes, when this one is not among them.
    fn instead_of(&self, method: &str, path: &str) -> Option<String> {
        let methods = self.literal.get(path)?;
        (!methods.0.contains(&method)).then(|| methods.allow())
    }

    /// The methods that a path takes.
    fn allow(&self, path: &str) -> Option<String> {
        let fits =
            || self.patterns.iter().find(|(pattern, _)| fits(pattern, path)).map(|(_, methods)| methods);
        self.literal.get(path).or_else(fits).map(Methods::allow)
    }
}

/// What a route of a method answers to.
fn names(method: &HttpMethod) -> &'static [&'static str] {
    match method {
        HttpMethod::Get => &["GET", "HEAD"],
        HttpMethod::Post => &["POST"],
        HttpMethod::Put => &["PUT"],
        HttpMethod::Delete => &["DELETE"],
        HttpMethod::Patch => &["PATCH"],
        HttpMethod::Options => &["OPTIONS"],
        HttpMethod::Head => &["HEAD"],
        HttpMethod::Trace => &["TRACE"],
    }
}

/// Whether a path is one of a pattern: the same segments, and something where it has a parameter.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut expected, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return true,
            (Some(segment), Some(value)) if segment.starts_with('{') && !value.is_empty() => {}
            (Some(segment), Some(value)) if segment == value => {}
            _ => return false,
        }
    }
}

/// Keeps `PUT /api/categories/tree` from the route of `/api/categories/{id}`, which would look for a category `tree`.
pub(crate) async fn refuse_strange_methods(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match KNOWN.instead_of(request.method().as_str(), routed_path(&request)) {
        Some(allow) => Err(ApiError::method_not_allowed(allow).into()),
        None => next.call(request).await,
    }
}

/// Answers whatever no route took.
pub(crate) async fn answer(request: HttpRequest) -> Result<actix_web::HttpResponse, ApiError> {
    let allow = KNOWN.allow(request.match_info().as_str());
    std::future::ready(()).await;
    Err(allow.map_or_else(ApiError::not_found, ApiError::method_not_allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_for_one_segment_that_says_something() {
        for (pattern, path, expected) in [
            ("/api/a/{id}", "/api/a/1", true),
            ("/api/a/{id}", "/api/a/", false),
            ("/api/a/{id}", "/api/a", false),
            ("/api/a/{id}", "/api/a/1/b", false),
            ("/api/a/{id}/b", "/api/a/1/b", true),
            ("/api/a/{id}/b", "/api/a/1/c", false),
            ("/api/a/{id}/b", "/api/b/1/b", false),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn a_path_takes_what_its_routes_take_together() {
        let mut known = KnownPaths::default();
        known.add("/a", vec![HttpMethod::Get]);
        known.add("/a/{id}", vec![HttpMethod::Get]);
        known.add("/a/{id}", vec![HttpMethod::Delete]);
        known.add("/a/new", vec![HttpMethod::Post]);
        assert_eq!(known.allow("/a").as_deref(), Some("GET, HEAD"));
        assert_eq!(known.allow("/a/1").as_deref(), Some("GET, HEAD, DELETE"));
        assert_eq!(known.allow("/a/new").as_deref(), Some("POST"));
        assert_eq!(known.allow("/b"), None);
        assert_eq!(known.instead_of("DELETE", "/a/new").as_deref(), Some("POST"));
        assert_eq!(known.instead_of("POST", "/a/new"), None);
        assert_eq!(known.instead_of("POST", "/a/1"), None, "only the router knows");
    }
}
