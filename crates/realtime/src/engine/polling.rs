//! The transport that works everywhere: a GET waits for packets, a POST brings some.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::StreamExt;

use crate::engine::connection::Connection;
use crate::engine::packets::SEPARATOR;
use crate::engine::refusal::Refusal;
use crate::engine::state::Transport;
use crate::reason::Reason;

/// An answer of text.
pub(crate) fn text(body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=UTF-8").body(body)
}

/// Waits until there is something for the client.
pub(crate) async fn get(connection: &Arc<Connection>) -> Result<HttpResponse, Refusal> {
    let pending = Pending::begin(connection, Side::Get)?;
    let payload = poll_fn(|context| poll_payload(connection, context)).await;
    pending.finish();
    if connection.has_told_its_end() {
        connection.shared().forget(connection.id());
    }
    connection.shared().meters.bytes_out.increment(u64::try_from(payload.len()).unwrap_or_default());
    Ok(text(payload))
}

fn poll_payload(connection: &Connection, context: &mut Context<'_>) -> Poll<Vec<u8>> {
    let mut state = connection.state();
    if !state.queue.is_empty() && state.transport != Transport::WebSocket {
        let (mut payload, count) = state.queue.take_payload(connection.shared().config.max_payload);
        connection.shared().meters.packets_out.increment(u64::try_from(count).unwrap_or_default());
        if state.ended.is_some() && state.queue.is_empty() {
            payload.extend_from_slice(&[SEPARATOR, b'1']);
        }
        return Poll::Ready(payload);
    }
    match state.ended {
        // A client that closes wants its pending GET back, and no more.
        Some(Reason::TransportClose) => return Poll::Ready(b"6".to_vec()),
        Some(_) => return Poll::Ready(b"1".to_vec()),
        None => {}
    }
    // A WebSocket can take over only when no GET is pending.
    if state.probe().is_some_and(|probe| probe.has_asked) || state.transport == Transport::WebSocket {
        return Poll::Ready(b"6".to_vec());
    }
    state.set_writer(context.waker());
    Poll::Pending
}

/// Takes the packets of a body.
pub(crate) async fn post(
    connection: &Arc<Connection>,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    let pending = Pending::begin(connection, Side::Post)?;
    let is_binary = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"application/octet-stream"));
    // Version 4 carries bytes as base64 in text.
    if is_binary {
        connection.end(Reason::TransportError);
        return Err(Refusal::BadRequest("The body must be text"));
    }
    let body = read_in_time(connection, request, payload).await?;
    connection.shared().meters.bytes_in.increment(u64::try_from(body.len()).unwrap_or_default());
    if body.is_empty() {
        connection.end(Reason::TransportError);
        return Err(Refusal::BadRequest("The body has no packet"));
    }
    for packet in body.split(|byte| *byte == SEPARATOR) {
        ready(connection).await;
        match receive(connection, body.slice_ref(packet)) {
            Ok(()) => {}
            Err(Reason::TransportClose) => {
                connection.end(Reason::TransportClose);
                break;
            }
            Err(reason) => {
                connection.end(reason);
                return Err(Refusal::BadRequest("A packet has an invalid format"));
            }
        }
    }
    pending.finish();
    Ok(HttpResponse::Ok().content_type("text/html").body("ok"))
}

/// Waits until the application can take more: the client's next POST waits with it.
async fn ready(connection: &Arc<Connection>) {
    if let Some(handler) = connection.handler() {
        poll_fn(|context| handler.poll_ready(context)).await;
    }
}

fn receive(connection: &Arc<Connection>, packet: Bytes) -> Result<(), Reason> {
    if let Some(encoded) = packet.strip_prefix(b"b") {
        let data = STANDARD.decode(encoded).map_err(|_error| Reason::TransportError)?;
        connection.receive_binary(data.into())
    } else {
        let text = ByteString::try_from(packet).map_err(|_error| Reason::TransportError)?;
        connection.receive_text(text)
    }
}

/// The body, if it comes in time and while the connection lasts. Whoever sends it too slowly is cut: nobody else may post
/// for the connection meanwhile.
async fn read_in_time(
    connection: &Arc<Connection>,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Bytes, Refusal> {
    let config = &connection.shared().config;
    let mut read =
        pin!(tokio::time::timeout(config.read_timeout, read(config.max_payload, request, payload)));
    let read = poll_fn(|context| {
        {
            let mut state = connection.state();
            if state.ended.is_some() {
                return Poll::Ready(Err(Refusal::Ended));
            }
            state.set_reader(Some(context.waker().clone()));
        }
        read.as_mut().poll(context).map(|read| read.unwrap_or(Err(Refusal::TooSlow)))
    })
    .await;
    connection.state().set_reader(None);
    if read == Err(Refusal::TooSlow) {
        connection.end(Reason::TransportError);
    }
    read
}

/// The body, if it is no larger than it may be. What is too large is refused by its declared length, or as soon as it
/// is longer than it may be.
async fn read(max: usize, request: &HttpRequest, mut payload: web::Payload) -> Result<Bytes, Refusal> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > max) {
        return Err(Refusal::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_error| Refusal::BadRequest("The body cannot be read"))?;
        if body.len() + chunk.len() > max {
            return Err(Refusal::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Get,
    Post,
}

/// A request under way. There may be one of each kind at a time; one that is given up ends the connection, because
/// what it carried may be lost.
struct Pending<'a> {
    connection: &'a Arc<Connection>,
    side: Side,
    is_finished: bool,
}

impl<'a> Pending<'a> {
    fn begin(connection: &'a Arc<Connection>, side: Side) -> Result<Self, Refusal> {
        let is_heard = matches!(side, Side::Get) && connection.shared().is_parting(connection.id());
        if connection.has_ended() && !is_heard {
            return Err(Refusal::UnknownSid);
        }
        let is_free = {
            let mut state = connection.state();
            let Transport::Polling { is_getting, is_posting } = &mut state.transport else {
                return Err(Refusal::BadRequest("The connection is carried by a WebSocket"));
            };
            let flag = match side {
                Side::Get => is_getting,
                Side::Post => is_posting,
            };
            !std::mem::replace(flag, true)
        };
        if !is_free {
            connection.end(Reason::TransportError);
            return Err(Refusal::BadRequest("Another request of this kind is under way"));
        }
        Ok(Self { connection, side, is_finished: false })
    }

    fn finish(mut self) {
        self.is_finished = true;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        {
            let mut state = self.connection.state();
            if let Transport::Polling { is_getting, is_posting } = &mut state.transport {
                match self.side {
                    Side::Get => *is_getting = false,
                    Side::Post => *is_posting = false,
                }
            }
            if matches!(self.side, Side::Get) && state.transport != Transport::WebSocket {
                state.writer = None;
            }
        }
        if !self.is_finished {
            self.connection.end(Reason::TransportClose);
        }
    }
}
