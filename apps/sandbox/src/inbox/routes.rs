//! `/inbox`: the messages as JSON for programs, as a page for browsers.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, Resource, web};
use serde::{Serialize, Serializer};

use super::{Filter, Message, page};
use crate::http::method_not_allowed;
use crate::problem::Problem;
use crate::stage::Stage;

/// The page loads nothing and runs nothing, whatever a message says.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";

/// The routes under `/inbox`.
pub(crate) fn resource() -> Resource {
    web::resource("/inbox")
        .route(web::get().to(show))
        .route(web::delete().to(clear))
        .default_service(web::to(method_not_allowed))
}

async fn show(request: HttpRequest, stage: web::Data<Stage>) -> Result<HttpResponse, Problem> {
    let filter = Filter::parse(request.query_string())?;
    let messages = stage.inbox.list(&filter);
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if asks_for_a_page(&request) {
        return Ok(answer
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
            .body(page::render(&filter, &messages)));
    }
    Ok(answer.json(Listing(messages)))
}

async fn clear(stage: web::Data<Stage>) -> HttpResponse {
    stage.inbox.clear();
    HttpResponse::NoContent().finish()
}

fn asks_for_a_page(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}

/// The messages as a JSON array.
struct Listing(Vec<Arc<Message>>);

impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(AsRef::as_ref))
    }
}
