//! One HTTP request: a handshake, a poll, a post, a WebSocket, or a refusal.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::engine::connection::Connection;
use crate::engine::packets::Packets;
use crate::engine::query::{Query, TransportName};
use crate::engine::refusal::Refusal;
use crate::engine::shard::Shard;
use crate::engine::shared::Shared;
use crate::engine::state::Transport;
use crate::engine::{PeerOf, handshake, origin, polling};

/// What a worker thread needs to answer.
#[derive(Clone)]
pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer_of: PeerOf,
    pub(crate) shard: Rc<OnceCell<Arc<Shard>>>,
}

pub(crate) async fn handle(local: &Local, request: &HttpRequest, payload: web::Payload) -> HttpResponse {
    let origins = &local.shared.config.origins;
    let answer = match origin::check(request, origins) {
        Err(refusal) => Err(refusal),
        Ok(()) if request.method() == Method::OPTIONS => Ok(origin::preflight(request)),
        Ok(()) => answer(local, request, payload).await,
    };
    let mut response = answer.unwrap_or_else(|refusal| refusal.respond());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    origin::allow(request, origins, headers);
    response
}

async fn answer(
    local: &Local,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    let query = Query::parse(request.query_string(), &local.shared.config)?;
    match (query.transport, query.sid) {
        (TransportName::Polling, None) => shake_hands(local, request),
        (TransportName::Polling, Some(sid)) => {
            let connection = sid.and_then(|sid| local.shared.find_to_read(sid)).ok_or(Refusal::UnknownSid)?;
            match *request.method() {
                Method::GET => polling::get(&connection).await,
                Method::POST => polling::post(&connection, request, payload).await,
                _ => Err(Refusal::BadMethod),
            }
        }
        (TransportName::WebSocket, None) => {
            let response = handshake::shake_hands(request)?;
            let connection = local.connection(request, Transport::WebSocket)?;
            connection.push_or_cut(&open_packet(&connection, &[]));
            local.shared.meters.opened_websocket.increment(1);
            connection.open();
            Ok(handshake::carry(request, response, connection, payload))
        }
        (TransportName::WebSocket, Some(sid)) => {
            let connection = sid.and_then(|sid| local.shared.find(sid)).ok_or(Refusal::UnknownSid)?;
            let response = handshake::shake_hands(request)?;
            Ok(handshake::probe(request, response, connection, payload))
        }
    }
}

/// A handshake over HTTP: the answer is the open packet.
fn shake_hands(local: &Local, request: &HttpRequest) -> Result<HttpResponse, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::BadMethod);
    }
    let connection =
        local.connection(request, Transport::Polling { is_getting: false, is_posting: false })?;
    let mut payload = Vec::new();
    open_packet(&connection, &["websocket"]).write_payload(&mut payload);
    local.shared.meters.opened_polling.increment(1);
    connection.open();
    Ok(polling::text(payload))
}

impl Local {
    /// A new connection in the table, of this thread's shard.
    fn connection(&self, request: &HttpRequest, transport: Transport) -> Result<Arc<Connection>, Refusal> {
        let shard = self.shard.get_or_init(|| self.shared.start_shard());
        let peer = (self.peer_of)(request);
        let connection = Connection::new(Arc::clone(&self.shared), Arc::clone(shard), peer, transport);
        self.shared.insert(&connection)?;
        Ok(connection)
    }
}

fn open_packet(connection: &Connection, upgrades: &[&str]) -> Arc<Packets> {
    let config = &connection.shared().config;
    let open = json!({
        "sid": connection.id().to_string(),
        "upgrades": upgrades,
        "pingInterval": u64::try_from(config.ping_interval.as_millis()).unwrap_or(u64::MAX),
        "pingTimeout": u64::try_from(config.ping_timeout.as_millis()).unwrap_or(u64::MAX),
        "maxPayload": config.max_payload,
    });
    Packets::new(format!("0{open}").as_bytes(), &[])
}
