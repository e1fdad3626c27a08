//! Who may connect, what they hear, and what they may ask for.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use kernel::{Actor, DomainError, ListingId, Role, SessionId};
use marketplace::{Marketplace, Stream};
use realtime::{Admission, Args, ConnectRequest, Event, Namespace, Reason, Refused, Socket};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::feeds::{Beginning, Feeds};
use super::outlet::{arguments, session_room};
use super::pace::Pace;
use super::seats::{Seat, Seats};

/// The most listings that one socket follows at a time.
const MOST_LISTINGS: usize = 64;
/// For how long a stream is told on after its last listener was cut off: longer than a client may be away and still get
/// what it missed (`RecoveryConfig::window`).
const LINGER: Duration = Duration::from_secs(150);

/// What a client gives when it connects.
#[derive(Deserialize)]
struct Auth {
    /// An access token.
    token: Option<SecretString>,
    /// The number of what it heard last, by stream.
    #[serde(default)]
    after: BTreeMap<String, i64>,
}

/// A person who is connected.
pub(super) struct Guest {
    actor: Actor,
    session: SessionId,
    token: SecretString,
    /// What it is to listen to from the start, and the number of what it heard last of that. Taken when it begins.
    wanted: Mutex<Vec<(Stream, Option<i64>)>>,
    /// What it listens to.
    streams: Mutex<HashSet<String>>,
    pace: Pace,
    /// Theirs until they are gone.
    seat: Mutex<Option<Seat>>,
}

impl Guest {
    /// The session by which they are connected.
    pub(super) const fn session(&self) -> SessionId {
        self.session
    }

    fn streams(&self) -> MutexGuard<'_, HashSet<String>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one namespace of the marketplace.
pub(super) struct Lobby {
    pub(super) market: Marketplace,
    pub(super) feeds: Arc<Feeds>,
    pub(super) seats: Seats,
}

#[async_trait]
impl Namespace for Lobby {
    async fn admit(&self, request: &ConnectRequest) -> Result<Admission, Refused> {
        let auth: Auth = request.auth().map_err(|_wrong| {
            refused("invalid_auth", "auth must be {token, after?}: an access token, and numbers by stream")
        })?;
        let token = auth.token.ok_or_else(|| refused("unauthenticated", "auth.token is missing"))?;
        let actor = self.authenticate(&token).await?;
        let Actor::Person { user, role, session, .. } = actor else {
            return Err(refused("unauthenticated", "auth.token is no person's"));
        };
        let seat = self.seats.take(user).ok_or_else(|| {
            refused(
                "too_many_connections",
                "you have as many connections as one may have: close another first",
            )
        })?;
        let seat = Mutex::new(Some(seat));
        // Whoever comes back must be the same in every respect that decides what they hear.
        let staff_role = self.staff_role(&actor).await;
        let identity = format!("{user} {session} {} {}", role.as_str(), staff_role.is_some());
        // Of the numbers that it gave, only these are kept.
        let streams = [Some(Stream::User(user)), Some(Stream::Everyone), staff_role.map(Stream::Staff)];
        let after = |stream: Stream| (stream, auth.after.get(&stream.to_string()).copied());
        let wanted = Mutex::new(streams.into_iter().flatten().map(after).collect());
        let (streams, pace) = (Mutex::default(), Pace::default());
        Ok(Admission::new(identity).data(Guest { actor, session, token, wanted, streams, pace, seat }))
    }

    async fn connected(&self, socket: &Socket) {
        let Some(guest) = socket.data::<Guest>() else { return };
        let joined = socket.join(&session_room(&guest.session.to_string())).is_ok();
        if socket.was_recovered() {
            self.go_on(socket, guest);
        }
        let ready = self.begin(socket, guest).await;
        // Whatever was taken away since the token was read: from here on it puts this socket out by itself.
        let still_there = self.authenticate(&guest.token).await;
        match (joined, ready, still_there) {
            (true, Ok(ready), Ok(actor)) if actor == guest.actor || is_same(&actor, &guest.actor) => {
                say(socket, "ready", &json!({ "streams": ready }));
            }
            _ => socket.disconnect(true),
        }
    }

    async fn event(&self, socket: &Socket, event: Event) {
        let Some(guest) = socket.data::<Guest>() else { return };
        let answer = match guest.pace.take(self.market.ambient.now()) {
            Ok(()) => self.answer(socket, guest, &event).await,
            Err(wait) => too_fast(wait),
        };
        if let Some(ack) = event.ack
            && let Ok(args) = Args::one(&answer)
        {
            ack.send(&args);
        }
    }

    async fn disconnected(&self, socket: &Socket, _: Reason) {
        let Some(guest) = socket.data::<Guest>() else { return };
        drop(guest.seat.lock().unwrap_or_else(PoisonError::into_inner).take());
        let streams: Vec<String> = guest.streams().drain().collect();
        let feeds = Arc::clone(&self.feeds);
        // It may come back and get what it missed: until then somebody must go on listening.
        tokio::spawn(async move {
            tokio::time::sleep(LINGER).await;
            streams.iter().for_each(|stream| feeds.release(stream));
        });
    }
}

/// A listing to be followed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Subscription {
    listing_id: ListingId,
    /// The number of what was heard of it last.
    after: Option<i64>,
}

impl Lobby {
    async fn answer(&self, socket: &Socket, guest: &Guest, event: &Event) -> Json {
        match event.name.as_str() {
            "ping" => {
                say(socket, "pong", &json!({}));
                json!({ "ok": true })
            }
            "subscribe:listing" => match event.args.get::<Subscription>(0) {
                Ok(wanted) => self.subscribe(socket, guest, wanted).await,
                Err(_) => problem("invalid_input", "expected {listingId, after?}"),
            },
            "unsubscribe:listing" => match event.args.get::<Subscription>(0) {
                Ok(wanted) => self.unsubscribe(socket, guest, wanted.listing_id),
                Err(_) => problem("invalid_input", "expected {listingId}"),
            },
            _ => problem("unknown_event", "expected ping, subscribe:listing or unsubscribe:listing"),
        }
    }

    async fn authenticate(&self, token: &SecretString) -> Result<Actor, Refused> {
        self.market
            .identity
            .authenticate(token.expose_secret())
            .await
            .map_err(|error| refused(error.code(), &error.to_string()))
    }

    /// The role by which somebody hears what is for staff: with a second factor, unless none is asked for.
    async fn staff_role(&self, actor: &Actor) -> Option<Role> {
        let Actor::Person { role, staff, .. } = actor else { return None };
        let is_enrolled = staff.is_some_and(|facts| facts.totp_confirmed);
        let may = role.is_staff()
            && (is_enrolled || !self.market.settings.get(&platform::settings::STAFF_TOTP_REQUIRED).await);
        may.then_some(*role)
    }

    /// Lets a socket into its streams, with what it missed: one that goes on only into those that it is not in, because
    /// it was cut off before it was told `ready`.
    async fn begin(&self, socket: &Socket, guest: &Guest) -> Result<Json, ()> {
        let mut ready = serde_json::Map::new();
        let wanted = std::mem::take(&mut *guest.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        for (stream, after) in wanted {
            let stream = stream.to_string();
            if guest.streams().contains(&stream) {
                continue;
            }
            let (seq, resync) = self.listen(socket, guest, &stream, after).await?;
            // It may have been told something of the stream before it was cut off.
            let resync = resync || (socket.was_recovered() && after.is_none());
            ready.insert(stream, json!({ "seq": seq, "resync": resync }));
        }
        Ok(Json::Object(ready))
    }

    /// Lets it go on: it is in its rooms and has what it missed of these.
    fn go_on(&self, socket: &Socket, guest: &Guest) {
        for room in socket.rooms() {
            if !room.starts_with("session:") && guest.streams().insert(room.to_string()) {
                self.feeds.keep(&room);
            }
        }
    }

    async fn listen(
        &self,
        socket: &Socket,
        guest: &Guest,
        stream: &str,
        after: Option<i64>,
    ) -> Result<(i64, bool), ()> {
        let mut begun = None;
        let begin = |beginning: &Beginning| {
            for entry in &beginning.missed {
                if let Ok(args) = arguments(entry) {
                    drop(socket.emit(&entry.told.name, &args));
                }
            }
            begun = socket.join(stream).is_ok().then_some((beginning.seq, beginning.resync));
        };
        if let Err(error) = self.feeds.listen(stream, after, begin).await {
            tracing::warn!(%error, "a stream cannot be listened to");
            return Err(());
        }
        // It is held once for each of its streams.
        if begun.is_none() || !guest.streams().insert(stream.to_owned()) {
            self.feeds.release(stream);
        }
        begun.ok_or(())
    }

    async fn subscribe(&self, socket: &Socket, guest: &Guest, wanted: Subscription) -> Json {
        let Subscription { listing_id, after } = wanted;
        let stream = Stream::Listing(listing_id).to_string();
        let (is_listening, count) = {
            let streams = guest.streams();
            let count = streams.iter().filter(|stream| stream.starts_with("listing:")).count();
            (streams.contains(&stream), count)
        };
        if !is_listening {
            if count >= MOST_LISTINGS {
                return problem("too_many", "at most 64 listings can be followed at a time");
            }
            if let Err(error) = self.market.catalog.get_listing(Some(&guest.actor), listing_id).await {
                return problem(error.code(), &error.to_string());
            }
        }
        match self.listen(socket, guest, &stream, after).await {
            Ok((seq, resync)) => json!({ "ok": true, "stream": stream, "seq": seq, "resync": resync }),
            Err(()) => problem("unavailable", "try again shortly"),
        }
    }

    fn unsubscribe(&self, socket: &Socket, guest: &Guest, listing: ListingId) -> Json {
        let stream = Stream::Listing(listing).to_string();
        socket.leave(&stream);
        if guest.streams().remove(&stream) {
            self.feeds.release(&stream);
        }
        json!({ "ok": true })
    }
}

/// Whether nothing has changed that decides what somebody hears.
fn is_same(now: &Actor, before: &Actor) -> bool {
    let factor = |actor: &Actor| match actor {
        Actor::Person { staff, .. } => staff.map(|facts| facts.totp_confirmed),
        Actor::System(_) => None,
    };
    now.user() == before.user() && now.role() == before.role() && factor(now) == factor(before)
}

fn say(socket: &Socket, name: &str, what: &Json) {
    if let Ok(args) = Args::one(what) {
        drop(socket.emit(name, &args));
    }
}

fn problem(code: &str, message: &str) -> Json {
    json!({ "ok": false, "code": code, "message": message })
}

fn too_fast(wait: TimeDelta) -> Json {
    let wait = wait.num_milliseconds();
    metrics::counter!("realtime_rate_limited_total").increment(1);
    let mut answer = problem("rate_limited", &format!("too many events: try again in {wait} ms"));
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("retryAfterMs".to_owned(), json!(wait));
    }
    answer
}

fn refused(code: &str, message: &str) -> Refused {
    Refused::new(message).data(json!({ "code": code }))
}
