//! What changes about a connection: its queue, what carries it, who is to be woken.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use crate::engine::Handler;
use crate::engine::line::Line;
use crate::engine::queue::Queue;
use crate::reason::Reason;

/// What changes about a connection. Locked for moments only, for the writing of some chunks at most, and never while the
/// application runs.
pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) transport: Transport,
    /// How a WebSocket is written to, once it is proven that nothing of the HTTP server's is on its way any more.
    pub(crate) line: Option<Line>,
    /// Of whoever writes to the client: the body of its WebSocket, or its pending GET.
    pub(crate) writer: Option<Waker>,
    /// Boxed, because hardly any WebSocket has any.
    aside: Option<Box<Aside>>,
    pub(super) handler: Option<Arc<dyn Handler>>,
    /// The client's address. It does not change, but beside the flags it takes less room: there are many of these.
    pub(super) peer: Option<IpAddr>,
    pub(crate) ended: Option<Reason>,
    /// Nothing is waited for any more; the transport may go.
    pub(crate) is_over: bool,
    /// When its pong is overdue, in the shard's [microseconds](crate::engine::shard::Shard::micros); `u64::MAX` while none is
    /// waited for.
    pub(super) pong_by: u64,
}

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling { is_getting: bool, is_posting: bool },
    WebSocket,
}

/// Who works beside the GET of a client that polls.
#[derive(Default)]
struct Aside {
    /// Of whoever reads the body of a POST.
    reader: Option<Waker>,
    probe: Option<Probe>,
}

/// A WebSocket that has not taken over yet.
pub(crate) struct Probe {
    pub(crate) by: Instant,
    /// Its `2probe` has come.
    pub(crate) has_asked: bool,
    pub(crate) waker: Option<Waker>,
}

impl State {
    pub(super) fn new(transport: Transport, peer: Option<IpAddr>) -> Self {
        Self {
            queue: Queue::default(),
            transport,
            line: None,
            writer: None,
            aside: None,
            handler: None,
            peer,
            ended: None,
            is_over: false,
            pong_by: u64::MAX,
        }
    }

    /// Of a WebSocket that wants to take over.
    pub(crate) fn probe(&mut self) -> Option<&mut Probe> {
        self.aside.as_mut()?.probe.as_mut()
    }

    pub(crate) fn begin_probe(&mut self, by: Instant) {
        self.aside.get_or_insert_default().probe = Some(Probe { by, has_asked: false, waker: None });
    }

    pub(crate) fn take_probe(&mut self) -> Option<Probe> {
        let probe = self.aside.as_mut()?.probe.take();
        self.aside.take_if(|aside| aside.reader.is_none());
        probe
    }

    /// Of whoever reads the body of a POST.
    pub(crate) fn set_reader(&mut self, reader: Option<Waker>) {
        if reader.is_some() {
            self.aside.get_or_insert_default().reader = reader;
        } else if let Some(aside) = &mut self.aside {
            aside.reader = None;
            self.aside.take_if(|aside| aside.probe.is_none());
        }
    }

    /// Nobody works aside any more.
    pub(crate) fn take_aside(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let Aside { reader, probe } = self.aside.take().map(|aside| *aside).unwrap_or_default();
        reader.into_iter().chain(probe.and_then(|probe| probe.waker))
    }

    /// Whether the kernel takes no more for now.
    pub(crate) fn is_blocked(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_blocked)
    }

    /// Whether the client is written to past the HTTP server.
    pub(crate) fn is_straight(&self) -> bool {
        self.line.as_ref().is_some_and(Line::is_proven)
    }

    /// Lets the writer look again, if there is one.
    pub(crate) fn wake_writer(&self) {
        if let Some(writer) = &self.writer {
            writer.wake_by_ref();
        }
    }

    pub(crate) fn set_writer(&mut self, waker: &Waker) {
        if !self.writer.as_ref().is_some_and(|writer| writer.will_wake(waker)) {
            self.writer = Some(waker.clone());
        }
    }
}

/// What became of packets that were to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    /// Nobody is there any more, or the packets were volatile and others waited already.
    Dropped,
    /// Too much waited: the connection must be ended with [`Reason::SlowConsumer`].
    Overflowed,
}
