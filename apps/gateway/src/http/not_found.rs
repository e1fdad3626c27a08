//! Paths that nothing answers: 404, or 405 with the methods that would be taken.

use actix_web::HttpRequest;
use actix_web::dev::ResourceDef;
use utoipa::openapi::{HttpMethod, OpenApi};

use super::error::ApiError;

/// The paths there are, with the methods that each of them takes.
#[derive(Debug, Clone)]
pub(crate) struct KnownPaths(Vec<(ResourceDef, String)>);

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
            (ResourceDef::new(path.as_str()), allow.join(", "))
        });
        Self(known.collect())
    }

    fn allow(&self, path: &str) -> Option<String> {
        self.0.iter().find(|(pattern, _)| pattern.is_match(path)).map(|(_, allow)| allow.clone())
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

/// Answers whatever no route took.
pub(crate) async fn answer(request: HttpRequest) -> Result<actix_web::HttpResponse, ApiError> {
    let allow = request.app_data::<KnownPaths>().and_then(|known| known.allow(request.path()));
    std::future::ready(()).await;
    Err(allow.map_or_else(ApiError::not_found, ApiError::method_not_allowed))
}
