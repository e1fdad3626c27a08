//! A WebSocket's own way to its client.
//!
//! The HTTP server copies what it is given to write, and wakes and polls the connection's whole task for each write. With
//! a second handle of the same socket a frame goes to the kernel from where it lies, and only a client that reads too
//! slowly is left to the task.

use std::any::Any;
use std::cell::Cell;
use std::io::{ErrorKind, Result, Write as _};
use std::net::{Shutdown, TcpStream};
use std::task::{Context, Poll};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use bytes::{Buf as _, Bytes};
use socket2::SockRef;
use tokio::net;

/// Lets WebSockets be written to without the HTTP server between: give it to
/// [`HttpServer::on_connect`](actix_web::HttpServer::on_connect). Every connection of the server, whatever it asks for,
/// then takes two file descriptors. One under TLS, or of a Unix socket, is written to through the server all the same.
pub fn on_connect(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<net::TcpStream>() else { return };
    match SockRef::from(stream).try_clone() {
        Ok(socket) => drop(data.insert(SecondHandle(Cell::new(Some(socket.into()))))),
        Err(error) => tracing::debug!(%error, "a connection is written to through the server"),
    }
}

/// Of a connection's socket, until a WebSocket takes it.
struct SecondHandle(Cell<Option<TcpStream>>);

/// The second handle of the socket that carries this request, if there is one.
pub(super) fn take_handle(request: &HttpRequest) -> Option<TcpStream> {
    request.conn_data::<SecondHandle>()?.0.take()
}

/// Writes without waiting, and keeps what the kernel has not taken.
#[derive(Debug)]
pub(crate) enum Line {
    /// The HTTP server may still have something to write.
    Unproven(TcpStream),
    Clear(TcpStream),
    /// Boxed, because hardly any connection is.
    Blocked(Box<Rest>),
    /// A failure took its socket.
    Gone,
}

/// What the kernel has not taken.
#[derive(Debug)]
pub(crate) struct Rest {
    bytes: Bytes,
    socket: Waits,
}

#[derive(Debug)]
enum Waits {
    /// Nobody has asked yet when there is room.
    NotYet(TcpStream),
    ForRoom(net::TcpStream),
}

impl Line {
    pub(crate) const fn new(socket: TcpStream) -> Self {
        Self::Unproven(socket)
    }

    /// The HTTP server has nothing left to write; true the first time.
    pub(crate) fn prove(&mut self) -> bool {
        match std::mem::replace(self, Self::Gone) {
            Self::Unproven(socket) => {
                *self = Self::Clear(socket);
                true
            }
            other => {
                *self = other;
                false
            }
        }
    }

    /// Whether it may be written to.
    pub(crate) const fn is_proven(&self) -> bool {
        !matches!(self, Self::Unproven(_))
    }

    /// Ends what the HTTP server still tries to write: while it cannot, it asks nobody whether that is over.
    pub(crate) fn give_up(&self) {
        if let Self::Unproven(socket) = self
            && let Err(error) = socket.shutdown(Shutdown::Both)
        {
            tracing::debug!(%error, "a connection that is over was gone already");
        }
    }

    /// Whether the kernel takes no more for now.
    pub(crate) const fn is_blocked(&self) -> bool {
        matches!(self, Self::Blocked(_))
    }

    /// Writes bytes, when it is clear. It is blocked afterwards, if not all could be written.
    ///
    /// # Errors
    /// When the client is gone.
    pub(crate) fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let Self::Clear(socket) = self else { return Err(ErrorKind::NotConnected.into()) };
        if !write(&mut bytes, |bytes| socket.write(bytes))?
            && let Self::Clear(socket) = std::mem::replace(self, Self::Gone)
        {
            *self = Self::Blocked(Box::new(Rest { bytes, socket: Waits::NotYet(socket) }));
        }
        Ok(())
    }

    /// Ready when it is clear. Called by the task that is to be woken, on its own thread.
    ///
    /// # Errors
    /// When the client is gone.
    pub(crate) fn poll_clear(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let (mut bytes, stream) = match std::mem::replace(self, Self::Gone) {
            Self::Blocked(rest) => match rest.socket {
                Waits::NotYet(socket) => (rest.bytes, net::TcpStream::from_std(socket)?),
                Waits::ForRoom(stream) => (rest.bytes, stream),
            },
            Self::Gone => return Poll::Ready(Err(ErrorKind::NotConnected.into())),
            idle @ (Self::Clear(_) | Self::Unproven(_)) => {
                *self = idle;
                return Poll::Ready(Ok(()));
            }
        };
        while !write(&mut bytes, |bytes| stream.try_write(bytes))? {
            if stream.poll_write_ready(context)?.is_pending() {
                *self = Self::Blocked(Box::new(Rest { bytes, socket: Waits::ForRoom(stream) }));
                return Poll::Pending;
            }
        }
        *self = Self::Clear(stream.into_std()?);
        Poll::Ready(Ok(()))
    }
}

/// Whether all could be written.
fn write(bytes: &mut Bytes, mut to: impl FnMut(&[u8]) -> Result<usize>) -> Result<bool> {
    while bytes.has_remaining() {
        match to(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => bytes.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
