//! Which sites' pages may connect, and the headers by which their browsers know (the Fetch standard's CORS protocol).

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use crate::config::Origins;
use crate::engine::refusal::Refusal;

/// Refuses a page of a site that is not listed.
pub(crate) fn check(request: &HttpRequest, origins: &Origins) -> Result<(), Refusal> {
    match request.headers().get(header::ORIGIN).map(HeaderValue::to_str) {
        None => Ok(()),
        Some(Ok(origin)) if origins.admit(origin) => Ok(()),
        Some(_) => Err(Refusal::Forbidden),
    }
}

/// Lets the page read the answer.
pub(crate) fn allow(request: &HttpRequest, origins: &Origins, headers: &mut HeaderMap) {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    let allowed = match origins {
        Origins::Any => HeaderValue::from_static("*"),
        Origins::Listed(_) => {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
            if !origin.to_str().is_ok_and(|origin| origins.admit(origin)) {
                return;
            }
            origin.clone()
        }
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
}

/// The answer to a preflight.
pub(crate) fn preflight(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"));
    if let Some(asked) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone()));
    }
    response.finish()
}
