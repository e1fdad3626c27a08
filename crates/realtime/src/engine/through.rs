//! A WebSocket that the HTTP server writes to: the body gives it what waits, and rests after each
//! [turn](crate::engine::turn).

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::engine::turn::{Turn, wake_after_io};
use crate::engine::websocket::{Body, Phase, Way};
use crate::reason::Reason;

impl Body {
    /// As [`actix_http::body::MessageBody::poll_next`].
    pub(super) fn poll_through(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // The server would go on for as long as the client takes it, and hear nothing meanwhile.
        if self.turn.is_over() {
            self.turn = Turn::RESTED;
            wake_after_io(context);
            return Poll::Pending;
        }
        let written = self.poll_turn(context);
        match &written {
            Poll::Ready(Some(bytes)) => self.turn.take(bytes),
            _ => self.turn = Turn::default(),
        }
        written
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(chunk) = self.write_first() {
            return Poll::Ready(Some(chunk));
        }
        self.read(context);
        if self.way == Way::Straight {
            return self.poll_straight(context);
        }
        if let Some(urgent) = self.take_urgent() {
            return Poll::Ready(Some(urgent));
        }
        if self.phase == Phase::Over {
            return Poll::Ready(None);
        }
        self.write(context)
    }

    /// What waits in the queue, at the first poll after one with nothing to write: most are for writing alone, and the next
    /// poll follows at once and reads. While more and more waits, each poll reads before it writes, also after a rest, so
    /// that a slow client is heard too.
    fn write_first(&mut self) -> Option<Bytes> {
        if self.turn != Turn::default() || self.phase != Phase::Open || self.urgent.is_some() {
            return None;
        }
        let taken = self.connection.state().queue.take_chunk()?;
        Some(self.count(taken))
    }

    fn count(&mut self, (chunk, packets): (Bytes, usize)) -> Bytes {
        self.connection.shared().meters.sent(packets, chunk.len());
        self.given = self.given.and(&chunk, packets);
        chunk
    }

    fn take_urgent(&mut self) -> Option<Bytes> {
        let urgent = *self.urgent.take()?;
        self.given = self.given.and(&urgent, 0);
        Some(urgent)
    }

    /// What waits in the queue, as one chunk.
    fn write(&mut self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.connection.state();
        if self.phase == Phase::Probing {
            if let Some(probe) = state.probe() {
                probe.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            drop(state);
            self.close(Reason::TransportClose);
            return Poll::Ready(self.take_urgent());
        }
        if self.phase == Phase::Closing {
            if state.is_over {
                return Poll::Ready(None);
            }
            state.set_writer(context.waker());
            return Poll::Pending;
        }
        if let Some(taken) = state.queue.take_chunk() {
            drop(state);
            return Poll::Ready(Some(self.count(taken)));
        }
        if let Some(reason) = state.ended {
            drop(state);
            self.close(reason);
            return Poll::Ready(self.take_urgent());
        }
        state.set_writer(context.waker());
        Poll::Pending
    }
}
