//! Letting a client into a namespace, afresh or back to where it was.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::json;

use crate::engine::packets::Packets;
use crate::engine::{Connection, Pushed};
use crate::id::Id;
use crate::reason::Reason;
use crate::socket::client::Client;
use crate::socket::core::Space;
use crate::socket::log::{Absent, Log};
use crate::socket::members::Place;
use crate::socket::namespace::{Admission, ConnectRequest};
use crate::socket::packet;
use crate::socket::socket::{Inner, Socket};

/// How often it is looked whether a socket is out that another thread puts out, which takes that thread some microseconds
/// once it runs.
const LOOKS: usize = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// What a client that comes back adds to the payload of CONNECT.
#[derive(Deserialize)]
struct ComeBack {
    pid: String,
    offset: String,
}

/// Who comes back, as the parts of its `pid` say, and the last event it saw.
struct Claim {
    id: Id,
    secret: Id,
    offset: String,
}

impl Claim {
    fn read(auth: &str) -> Option<Self> {
        let come_back: ComeBack = serde_json::from_str(auth).ok()?;
        let (id, secret) = come_back.pid.split_once('.')?;
        Some(Self { id: Id::parse(id)?, secret: Id::parse(secret)?, offset: come_back.offset })
    }
}

/// Asks the namespace, and lets the client in or tells it why not.
pub(crate) async fn decide(client: &Arc<Client>, space: &Arc<Space>, auth: Option<ByteString>) {
    let Some(connection) = client.connection() else { return };
    let request = ConnectRequest { auth, peer: connection.peer(), namespace: Arc::clone(&space.name) };
    match space.handler.admit(&request).await {
        Err(refused) => {
            client.unsettle(space);
            let mut error = json!({"message": refused.message});
            if let (Some(data), Some(fields)) = (refused.data, error.as_object_mut()) {
                fields.insert("data".to_owned(), data);
            }
            connection.push_or_cut(&packet::plain_packet(4, &space.prefix, &error.to_string()));
        }
        Ok(admission) => {
            let claim = client.core().config.recovery.as_ref().and_then(|_| Claim::read(request.auth_json()));
            if let Some(claim) = &claim {
                put_away(space, claim, &admission.identity).await;
            }
            if let Some(socket) = let_in(client, space, &connection, admission, claim) {
                space.handler.connected(&socket).await;
            }
        }
    }
}

/// None when the connection ended meanwhile.
fn let_in(
    client: &Arc<Client>,
    space: &Arc<Space>,
    connection: &Arc<Connection>,
    admission: Admission,
    claim: Option<Claim>,
) -> Option<Socket> {
    let granted: Vec<Arc<str>> = admission.rooms.iter().map(|room| Arc::from(room.as_str())).collect();
    let mut log = space.log();
    let found = claim.as_ref().and_then(|claim| {
        find(log.as_mut()?, claim, &admission.identity, &granted, client.core().config.engine.max_queue)
    });
    let meter = claim.as_ref().map(|_| {
        let meters = &client.core().meters;
        if found.is_some() { &meters.recovered } else { &meters.not_recovered }
    });
    let (id, secret, absent, missed) = match (found, claim) {
        (Some((absent, missed)), Some(claim)) => (claim.id, claim.secret, Some(absent), missed),
        _ => (Id::random(), Id::random(), None, Vec::new()),
    };
    let socket = Socket::new(Inner {
        id,
        secret,
        connection: Arc::clone(connection),
        space: Arc::clone(space),
        hub: client.core().hub(connection.shard())?,
        client: Arc::clone(client),
        identity: admission.identity,
        data: admission.data,
        place: Mutex::new(Place::new(absent.is_some())),
    });
    if !client.settle(&socket) {
        // It may try again, over a connection that lasts longer.
        if let (Some(log), Some(absent)) = (&mut log, absent) {
            log.put_back(id, absent);
        }
        return None;
    }
    if let Some(meter) = meter {
        meter.increment(1);
    }
    let joined = absent.map(|absent| absent.joined).unwrap_or_default();
    let answer = answer(&socket);
    // The rooms and the log stand still, so nothing is sent between what was missed and what comes.
    let ((is_in, has_all), overflowed) = socket.hub().with_members(|members| {
        // Other namespaces of the client may have filled its queue.
        let has_all = missed
            .iter()
            .chain([&answer])
            .all(|packets| connection.push(packets, false) != Pushed::Overflowed);
        let is_in = members.enter(&socket, &granted, &joined);
        if is_in {
            space.sockets().insert(socket.clone());
        }
        (is_in, has_all)
    });
    drop(log);
    overflowed.cut();
    if !has_all {
        connection.end(Reason::SlowConsumer);
    }
    is_in.then_some(socket)
}

/// A recovery needs the same identity and the same rights, and everything that was missed must fit into the queue.
fn find(
    log: &mut Log,
    claim: &Claim,
    identity: &str,
    granted: &[Arc<str>],
    max_queue: usize,
) -> Option<(Absent, Vec<Arc<Packets>>)> {
    let (absent, missed) = log.recall(claim.id, claim.secret, &claim.offset, Instant::now())?;
    let is_same = *absent.identity == *identity
        && absent.granted.len() == granted.len()
        && granted.iter().all(|room| absent.granted.contains(room));
    let bytes: usize = missed.iter().map(|packets| packets.wire().len() + 32).sum();
    (is_same && bytes < max_queue / 2).then_some((absent, missed))
}

/// Ends the connection that the client has lost, if we have not noticed yet. Another thread may have noticed at this very
/// moment: then its socket is waited for until it is out, or the log would not know yet what is kept for it.
async fn put_away(space: &Space, claim: &Claim, identity: &str) {
    for _ in 0..LOOKS {
        let old = space.sockets().get(claim.id).cloned();
        let Some(old) = old.filter(|old| old.secret().is(claim.secret) && old.identity() == identity) else {
            return;
        };
        old.connection().end(Reason::TransportClose);
        if space.sockets().get(claim.id).is_none() {
            return;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The answer to CONNECT: the socket's id, and what it may come back by.
pub(crate) fn answer(socket: &Socket) -> Arc<Packets> {
    let id = socket.id().to_string();
    let answer = if socket.is_recoverable() {
        json!({"sid": id, "pid": format!("{id}.{}", socket.secret())})
    } else {
        json!({"sid": id})
    };
    packet::plain_packet(0, &socket.space().prefix, &answer.to_string())
}
