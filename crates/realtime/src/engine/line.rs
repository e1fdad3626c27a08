//! A WebSocket's own way to its client.
//!
//! The HTTP server copies what it is given to write, and wakes and polls the connection's whole task for each write. With
//! a second handle of the same socket a frame goes to the kernel from where it lies, and only a client that reads too
//! slowly is left to the task.

use std::any::Any;
use std::cell::Cell;
use std::io::{ErrorKind, Result, Write as _};
use std::net::TcpStream;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use bytes::{Buf as _, Bytes};
use socket2::SockRef;
use tokio::net;

/// Lets WebSockets be written to without the HTTP server between: give it to
/// [`HttpServer::on_connect`](actix_web::HttpServer::on_connect). A connection then takes two file descriptors. One under
/// TLS, or of a Unix socket, is written to through the server all the same.
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
pub(crate) struct Line {
    socket: TcpStream,
    /// Boxed, because hardly any connection has one.
    rest: Option<Box<Rest>>,
}

#[derive(Debug)]
struct Rest {
    bytes: Bytes,
    /// Waits for room in the kernel, from when somebody waits.
    stream: Option<net::TcpStream>,
}

impl Line {
    pub(crate) const fn new(socket: TcpStream) -> Self {
        Self { socket, rest: None }
    }

    /// Whether the kernel takes no more for now.
    pub(crate) const fn is_blocked(&self) -> bool {
        self.rest.is_some()
    }

    /// Writes bytes, when it is not blocked. It is afterwards, if not all could be written.
    ///
    /// # Errors
    /// When the client is gone.
    pub(crate) fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        if !write(&mut bytes, |bytes| (&self.socket).write(bytes))? {
            self.rest = Some(Box::new(Rest { bytes, stream: None }));
        }
        Ok(())
    }

    /// Ready when it is not blocked any more.
    ///
    /// # Errors
    /// When the client is gone, or the process has no descriptor left to wait with.
    pub(crate) fn poll_clear(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(Ok(())) };
        let stream = match &rest.stream {
            Some(stream) => stream,
            None => rest.stream.insert(net::TcpStream::from_std(self.socket.try_clone()?)?),
        };
        while !write(&mut rest.bytes, |bytes| stream.try_write(bytes))? {
            ready!(stream.poll_write_ready(context))?;
        }
        self.rest = None;
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
