//! One Engine.IO connection, whatever carries it: its queue, its heartbeat, its end.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;

use crate::by_id::HasId;
use crate::engine::line::Line;
use crate::engine::packets::Packets;
use crate::engine::shard::{Due, Shard};
use crate::engine::shared::Shared;
use crate::engine::state::{Pushed, State, Transport};
use crate::engine::turn::Turn;
use crate::engine::{Handler, Message};
use crate::id::Id;
use crate::meters;
use crate::reason::Reason;

/// A connection of a client. It lives on when its transport changes.
pub struct Connection {
    id: Id,
    shared: Arc<Shared>,
    shard: Arc<Shard>,
    state: Mutex<State>,
}

impl Connection {
    pub(crate) fn new(
        shared: Arc<Shared>,
        shard: Arc<Shard>,
        peer: Option<IpAddr>,
        transport: Transport,
    ) -> Arc<Self> {
        Arc::new(Self { id: Id::random(), shared, shard, state: Mutex::new(State::new(transport, peer)) })
    }

    /// The secret id by which its client names it.
    pub const fn id(&self) -> Id {
        self.id
    }

    /// The client's address, as [`crate::engine::Engine::peer`] was told to find it.
    pub fn peer(&self) -> Option<IpAddr> {
        self.state().peer
    }

    /// The shard of the thread that took it.
    pub const fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn handler(&self) -> Option<Arc<dyn Handler>> {
        self.state().handler.clone()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has ended. It has, too, when it is overdue and nobody has looked yet.
    pub(crate) fn has_ended(self: &Arc<Self>) -> bool {
        let (ended, overdue) = {
            let state = self.state();
            (state.ended.is_some(), state.pong_by <= self.shard.micros(Instant::now()))
        };
        if overdue && !ended {
            self.end(Reason::PingTimeout);
        }
        ended || overdue
    }

    /// Whether it has ended, and nothing that was to be sent before is left.
    pub(crate) fn has_told_its_end(&self) -> bool {
        let state = self.state();
        state.ended.is_some() && state.queue.is_empty()
    }

    /// Announces it to the application and starts its heartbeat.
    pub(crate) fn open(self: &Arc<Self>) {
        let handler = self.shared.application().open(self);
        let settle = handler.settle_within();
        self.state().handler = Some(Arc::clone(&handler));
        let now = Instant::now();
        let interval = self.shared.config.ping_interval;
        self.shard.set_timer(now + interval, Due::Ping, self);
        // Most will have settled when the first ping is due, and then need no timer for it.
        if let Some(within) = settle.filter(|within| *within <= interval) {
            self.shard.set_timer(now + within, Due::Settle, self);
        }
        handler.opened(self);
    }

    /// Queues a message. Never waits: a client that reads too slowly is cut.
    pub fn send(self: &Arc<Self>, message: &Message) {
        let packets = match message {
            Message::Text(text) => Packets::new(format!("4{text}").as_bytes(), &[]),
            Message::Binary(data) => Packets::binary(data),
        };
        self.push_or_cut(&packets);
    }

    pub(crate) fn push_or_cut(self: &Arc<Self>, packets: &Arc<Packets>) {
        if self.push(packets, false) == Pushed::Overflowed {
            self.end(Reason::SlowConsumer);
        }
    }

    /// Queues packets and sees to it that they are written. What overflows must be ended by the caller, when it holds no lock.
    pub(crate) fn push(self: &Arc<Self>, packets: &Arc<Packets>, is_volatile: bool) -> Pushed {
        let mut state = self.state();
        if state.ended.is_some() {
            return Pushed::Dropped;
        }
        let is_blocked = state.is_blocked();
        if is_volatile && (is_blocked || !state.queue.is_empty()) {
            self.shared.meters.dropped.increment(1);
            return Pushed::Dropped;
        }
        if state.queue.is_full_for(packets, self.shared.config.max_queue) {
            return Pushed::Overflowed;
        }
        let was_empty = state.queue.is_empty();
        state.queue.push(Arc::clone(packets));
        if was_empty && !is_blocked {
            let is_straight = state.is_straight();
            drop(state);
            if !is_straight || !self.shard.mark(self) {
                self.state().wake_writer();
            }
        }
        Pushed::Queued
    }

    /// Writes what waits straight to the client; what is left after one turn is left to the body.
    pub(crate) fn write_out(self: &Arc<Self>) {
        let mut state = self.state();
        // The body tells its end, and what comes before that.
        if state.ended.is_some() {
            return;
        }
        let written = self.write_turn(&mut state);
        if state.is_blocked() || !state.queue.is_empty() {
            state.wake_writer();
        }
        drop(state);
        if written.is_err() {
            self.end(Reason::TransportClose);
        }
    }

    /// Writes what waits straight to the client: not all of it at once, so that a client who reads as fast is heard too.
    ///
    /// # Errors
    /// When the client is gone.
    pub(crate) fn write_turn(&self, state: &mut State) -> std::io::Result<()> {
        let Some(line) = &mut state.line else { return Ok(()) };
        let mut turn = Turn::default();
        while !turn.is_over() && !line.is_blocked() {
            let Some((chunk, packets)) = state.queue.take_chunk() else { break };
            self.shared.meters.sent(packets, chunk.len());
            turn.take(&chunk);
            line.write(chunk)?;
        }
        Ok(())
    }

    /// Takes one packet of text from the client: its type's digit and what follows (Engine.IO v4).
    pub(crate) fn receive_text(self: &Arc<Self>, text: ByteString) -> Result<(), Reason> {
        self.shared.meters.packets_in.increment(1);
        let mut rest = text.chars();
        match rest.next() {
            Some('1') if rest.as_str().is_empty() => Err(Reason::TransportClose),
            Some('3') => {
                self.pong();
                Ok(())
            }
            Some('4') => {
                let message = text.slice_ref(rest.as_str());
                self.deliver(Message::Text(message))
            }
            // A noop says nothing.
            Some('6') => Ok(()),
            _ => Err(Reason::TransportError),
        }
    }

    pub(crate) fn receive_binary(self: &Arc<Self>, data: Bytes) -> Result<(), Reason> {
        self.shared.meters.packets_in.increment(1);
        self.deliver(Message::Binary(data))
    }

    fn deliver(self: &Arc<Self>, message: Message) -> Result<(), Reason> {
        self.handler().map_or(Ok(()), |handler| handler.message(self, message))
    }

    fn pong(self: &Arc<Self>) {
        let was_waited_for = std::mem::replace(&mut self.state().pong_by, u64::MAX) != u64::MAX;
        if was_waited_for {
            self.shard.set_timer(Instant::now() + self.shared.config.ping_interval, Due::Ping, self);
        }
    }

    /// Does what was due at a moment that is just past.
    pub(crate) fn fall_due(self: &Arc<Self>, due: Due, at: Instant) {
        match due {
            Due::Ping => {
                // A ping that goes out a little late leaves the end where the client reckons it; one that goes out
                // very late does not take the client's time to answer.
                let patience = self.shared.config.ping_timeout;
                let by = (at + patience).max(Instant::now() + patience * 9 / 10);
                self.state().pong_by = self.shard.micros(by);
                self.push_or_cut(&Packets::new(b"2", &[]));
                self.shard.set_timer(by, Due::Pong, self);
                let handler = self.handler().filter(|handler| !handler.has_settled());
                if let Some(within) = handler.and_then(|handler| handler.settle_within()) {
                    let left = within.saturating_sub(self.shared.config.ping_interval);
                    self.shard.set_timer(at + left, Due::Settle, self);
                }
            }
            Due::Pong => drop(self.has_ended()),
            Due::Upgrade => self.forget_probe(at),
            Due::Settle => {
                if self.handler().is_some_and(|handler| !handler.has_settled()) {
                    self.end(Reason::ConnectTimeout);
                }
            }
            Due::Linger => {
                let mut state = self.state();
                state.is_over = true;
                state.line.iter().for_each(Line::give_up);
                state.wake_writer();
                drop(state);
                self.shared.forget(self.id);
            }
        }
    }

    /// The WebSocket that wanted to take over did not.
    fn forget_probe(&self, at: Instant) {
        let overdue = {
            let mut state = self.state();
            let is_overdue = state.probe().is_some_and(|probe| probe.by <= at);
            if is_overdue { state.take_probe() } else { None }
        };
        if let Some(waker) = overdue.and_then(|probe| probe.waker) {
            waker.wake();
        }
    }

    /// Ends the connection; the first reason counts. What waits is still sent, unless the client is gone or too slow.
    pub fn end(self: &Arc<Self>, reason: Reason) {
        let is_to_be_heard = {
            let mut state = self.state();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some(reason);
            let is_lost =
                matches!(reason, Reason::SlowConsumer | Reason::PingTimeout | Reason::TransportError);
            if is_lost {
                state.queue.clear();
            }
            state.wake_writer();
            state.take_aside().for_each(Waker::wake);
            // A client between two GETs hears with the next one what it was sent last, and that this is the end.
            !is_lost && reason != Reason::TransportClose && state.transport != Transport::WebSocket
        };
        self.shared.remove(self, is_to_be_heard);
        self.shard.set_timer(Instant::now() + self.shared.config.linger, Due::Linger, self);
        meters::closed(reason);
        if let Some(handler) = self.handler() {
            handler.closed(self, reason);
        }
    }

    /// Ends it after a while, which spreads the clients' return after a restart.
    pub(crate) async fn end_after(self: Arc<Self>, wait: Duration, reason: Reason) {
        tokio::time::sleep(wait).await;
        self.end(reason);
    }
}

impl HasId for Arc<Connection> {
    fn id_ref(&self) -> &Id {
        &self.id
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("shard", &self.shard.index()).finish_non_exhaustive()
    }
}
