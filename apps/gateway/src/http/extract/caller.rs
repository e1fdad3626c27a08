//! Where a request comes from: its id, the client's address and agent; and whether its answer is read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use kernel::Origin;

use crate::http::error::ApiError;
use crate::http::middleware::RequestFacts;

/// The origin of the request, as records keep it.
#[derive(Debug, Clone)]
pub(crate) struct ClientOrigin(pub(crate) Origin);

impl ClientOrigin {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let extensions = request.extensions();
        let facts = extensions.get::<RequestFacts>();
        Self(Origin {
            request_id: facts.map(|facts| facts.request_id.clone()),
            address: facts.map(|facts| facts.client.to_string()),
            agent: agent.map(|agent| agent.chars().take(200).collect()),
        })
    }

    /// The client's address as text; what limits are counted by.
    pub(crate) fn address(&self) -> &str {
        self.0.address.as_deref().unwrap_or("unknown")
    }
}

/// Whether the client takes the body of an answer, rather than its headers alone.
pub(crate) fn takes_body(request: &HttpRequest) -> bool {
    !request.extensions().get::<RequestFacts>().is_some_and(|facts| facts.is_head)
}

impl FromRequest for ClientOrigin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
