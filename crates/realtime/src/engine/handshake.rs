//! How a WebSocket begins (RFC 6455 §4): carrying a connection from its start, or about to take one over from polling.

use std::sync::Arc;
use std::time::Instant;

use actix_http::ResponseBuilder;
use actix_http::ws;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::engine::connection::Connection;
use crate::engine::line::take_handle;
use crate::engine::refusal::Refusal;
use crate::engine::shard::Due;
use crate::engine::state::Transport;
use crate::engine::websocket::{Body, Phase};
use crate::reason::Reason;

/// Checks the handshake.
pub(crate) fn shake_hands(request: &HttpRequest) -> Result<ResponseBuilder, Refusal> {
    ws::handshake(request.head()).map_err(|error| match error {
        ws::HandshakeError::GetMethodRequired => Refusal::BadMethod,
        _ => Refusal::BadRequest("This is no WebSocket handshake"),
    })
}

/// Carries a connection from its beginning.
pub(crate) fn carry(
    request: &HttpRequest,
    response: ResponseBuilder,
    connection: Arc<Connection>,
    payload: web::Payload,
) -> HttpResponse {
    respond(response, Body::new(connection, payload, take_handle(request), Phase::Open))
}

/// Begins to take over a connection from polling, if nothing else does. What may not is closed at once.
pub(crate) fn probe(
    request: &HttpRequest,
    response: ResponseBuilder,
    connection: Arc<Connection>,
    payload: web::Payload,
) -> HttpResponse {
    let by = Instant::now() + connection.shared().config.upgrade_timeout;
    let is_claimed = {
        let mut state = connection.state();
        let is_free =
            state.ended.is_none() && state.transport != Transport::WebSocket && state.probe().is_none();
        if is_free {
            state.begin_probe(by);
        }
        is_free
    };
    let mut body = Body::new(Arc::clone(&connection), payload, take_handle(request), Phase::Probing);
    if is_claimed {
        connection.shard().set_timer(by, Due::Upgrade, &connection);
    } else {
        body.close(Reason::TransportClose);
    }
    respond(response, body)
}

fn respond(mut response: ResponseBuilder, body: Body) -> HttpResponse {
    match response.message_body(body) {
        Ok(response) => HttpResponse::from(response).map_into_boxed_body(),
        Err(_) => Refusal::BadRequest("This is no WebSocket handshake").respond(),
    }
}
