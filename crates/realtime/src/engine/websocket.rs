//! The WebSocket transport (RFC 6455): the body of the answer is the connection.
//!
//! The body reads what comes, and writes what waits unless somebody writes it [straight](crate::engine::line), inside the
//! task that actix runs for the connection anyway: a socket costs no task, no channel and no buffer of its own, and
//! everything that waits leaves in one write.

use std::convert::Infallible;
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::body::{BodySize, MessageBody};
use actix_http::ws::{Codec, Frame, Item};
use actix_web::web;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio_util::codec::Decoder as _;

use crate::engine::connection::Connection;
use crate::engine::fragments::Fragments;
use crate::engine::line::Line;
use crate::engine::packets::{self, Packets};
use crate::engine::shown::Given;
use crate::engine::state::Transport;
use crate::engine::turn::Turn;
use crate::reason::Reason;

/// The longest head of a frame, with its mask.
const HEAD: usize = 14;

/// Where a WebSocket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has not taken over yet.
    Probing,
    /// It carries the connection.
    Open,
    /// Our close frame is sent, the client's is waited for.
    Closing,
    Over,
}

/// How a connection is written to by a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Not at all yet.
    None,
    /// By the HTTP server.
    Through,
    /// By the connection's own [line](crate::engine::line).
    Straight,
}

pub(super) struct Body {
    pub(super) connection: Arc<Connection>,
    payload: web::Payload,
    pub(super) phase: Phase,
    /// Of frames.
    codec: Codec,
    /// Of a frame that has not come in full. Boxed, because nearly every connection has none.
    partial: Option<Box<BytesMut>>,
    /// Of a message in several frames.
    fragments: Fragments,
    /// Goes out before what waits in the queue. Boxed, because nearly every connection has none.
    pub(super) urgent: Option<Box<Bytes>>,
    /// What the server was given last.
    pub(super) given: Given,
    /// For writing past the server, until it carries the connection.
    handle: Option<TcpStream>,
    pub(super) way: Way,
    /// What polls one after the other gave to write, up to the last one.
    pub(super) turn: Turn,
}

impl Body {
    pub(super) fn new(
        connection: Arc<Connection>,
        payload: web::Payload,
        handle: Option<TcpStream>,
        phase: Phase,
    ) -> Self {
        let codec = Codec::new().max_size(connection.shared().config.max_payload);
        let mut body = Self {
            connection,
            payload,
            phase,
            codec,
            partial: None,
            fragments: Fragments::default(),
            urgent: None,
            given: Given::Nothing,
            handle,
            way: Way::None,
            turn: Turn::default(),
        };
        if phase == Phase::Open {
            body.take_over();
        }
        body
    }

    /// It carries the connection from now on.
    fn take_over(&mut self) {
        self.phase = Phase::Open;
        self.way = Way::Through;
        self.connection.state().line = self.handle.take().map(Line::new);
    }

    /// Sends a close frame. If it carries the connection, it waits for the client's a little.
    pub(super) fn close(&mut self, reason: Reason) {
        self.urgent = Some(packets::close_frame(reason.close_code()).into());
        self.phase = if self.phase == Phase::Open { Phase::Closing } else { Phase::Over };
    }

    /// Takes what has come, until nothing more is there, or an answer must go out first.
    pub(super) fn read(&mut self, context: &mut Context<'_>) {
        let mut input = self.partial.take().map_or_else(BytesMut::new, |partial| *partial);
        self.read_on(&mut input, context);
        if !input.is_empty() {
            self.partial = Some(Box::new(input));
        }
    }

    fn read_on(&mut self, input: &mut BytesMut, context: &mut Context<'_>) {
        while self.phase != Phase::Over && self.urgent.is_none() {
            let is_open = self.phase == Phase::Open;
            // Asked only when there is something to give: most polls are for writing.
            if is_open && !input.is_empty() && self.is_busy(context) {
                return;
            }
            match self.next_frame(input) {
                Ok(Some(frame)) => {
                    if let Err(reason) = self.take_frame(frame, context) {
                        self.fail(reason);
                    }
                }
                Ok(None) => match Pin::new(&mut self.payload).poll_next(context) {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(chunk))) => {
                        let length = u64::try_from(chunk.len()).unwrap_or_default();
                        self.connection.shared().meters.bytes_in.increment(length);
                        input.extend_from_slice(&chunk);
                    }
                    Poll::Ready(Some(Err(_)) | None) => {
                        self.let_go();
                        self.phase = Phase::Over;
                    }
                },
                Err(reason) => self.fail(reason),
            }
        }
    }

    /// The client is gone, or actix is.
    fn let_go(&self) {
        match self.phase {
            Phase::Probing => drop(self.connection.state().take_probe()),
            Phase::Open => self.connection.end(Reason::TransportClose),
            Phase::Closing | Phase::Over => {}
        }
    }

    fn is_busy(&self, context: &mut Context<'_>) -> bool {
        self.connection.handler().is_some_and(|handler| handler.poll_ready(context).is_pending())
    }

    fn next_frame(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, Reason> {
        if input.is_empty() {
            return Ok(None);
        }
        let frame = self.codec.decode(input).map_err(|_error| Reason::TransportError)?;
        if frame.is_none() && input.len() > self.connection.shared().config.max_payload + HEAD {
            return Err(Reason::TransportError);
        }
        if input.is_empty() {
            *input = BytesMut::new();
        }
        Ok(frame)
    }

    /// The client broke a rule, or wants to end.
    fn fail(&mut self, reason: Reason) {
        match self.phase {
            Phase::Open => {
                self.connection.end(reason);
                self.close(reason);
            }
            Phase::Probing => {
                drop(self.connection.state().take_probe());
                self.close(reason);
            }
            Phase::Closing | Phase::Over => self.phase = Phase::Over,
        }
    }

    fn take_frame(&mut self, frame: Frame, context: &Context<'_>) -> Result<(), Reason> {
        match frame {
            Frame::Text(data) => self.take_message(data, true, context),
            Frame::Binary(data) => self.take_message(data, false, context),
            Frame::Continuation(item) => self.take_fragment(item, context),
            Frame::Ping(data) => {
                self.urgent = Some(packets::pong_frame(&data).into());
                Ok(())
            }
            Frame::Pong(_) => Ok(()),
            Frame::Close(_) => {
                if self.phase != Phase::Closing {
                    self.fail(Reason::TransportClose);
                }
                self.phase = Phase::Over;
                Ok(())
            }
        }
    }

    fn take_fragment(&mut self, item: Item, context: &Context<'_>) -> Result<(), Reason> {
        let max = self.connection.shared().config.max_payload;
        match self.fragments.take(item, max)? {
            Some((data, is_text)) => self.take_message(data, is_text, context),
            None => Ok(()),
        }
    }

    fn take_message(&mut self, data: Bytes, is_text: bool, context: &Context<'_>) -> Result<(), Reason> {
        match self.phase {
            Phase::Closing | Phase::Over => Ok(()),
            Phase::Probing => self.take_probe(&data, context),
            Phase::Open if is_text => {
                self.go_straight(&data);
                let text = ByteString::try_from(data).map_err(|_error| Reason::TransportError)?;
                self.connection.receive_text(text)
            }
            Phase::Open => self.connection.receive_binary(data),
        }
    }

    /// `2probe`, then `5`, and nothing else.
    fn take_probe(&mut self, data: &[u8], context: &Context<'_>) -> Result<(), Reason> {
        let mut state = self.connection.state();
        let probe = state.probe().ok_or(Reason::TransportError)?;
        match data {
            b"2probe" if !probe.has_asked => {
                probe.has_asked = true;
                self.urgent = Some(Packets::new(b"3probe", &[]).wire().clone().into());
                // The pending GET comes back with a noop.
                state.wake_writer();
                Ok(())
            }
            b"5" if probe.has_asked => {
                drop(state.take_probe());
                state.transport = Transport::WebSocket;
                state.wake_writer();
                state.writer = Some(context.waker().clone());
                drop(state);
                self.take_over();
                self.go_straight(data);
                self.connection.shared().meters.upgraded.increment(1);
                Ok(())
            }
            _ => Err(Reason::TransportError),
        }
    }
}

impl MessageBody for Body {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let this = self.get_mut();
        if this.way == Way::Straight {
            return this.poll_straight(context).map(|end| end.map(Ok));
        }
        this.poll_through(context).map(|chunk| chunk.map(Ok))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.let_go();
        // Whoever still holds the connection must not hold its socket open.
        if self.way != Way::None {
            self.connection.state().line = None;
        }
    }
}
