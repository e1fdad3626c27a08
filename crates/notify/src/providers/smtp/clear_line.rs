//! A line that is to become private: of what is said on it in the clear, nothing is heard afterwards.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// With which a client's first record of TLS begins (RFC 8446 §5.1), and no command of SMTP.
const HANDSHAKE: u8 = 22;

/// A connection that is read byte by byte until our side of TLS begins.
///
/// Whoever reads ahead has bytes in hand that came in the clear when TLS begins, and would take them for what the
/// server said under it: then somebody between us and the server could answer in its place (RFC 3207 §6). What was not
/// asked for stays on the line instead, where TLS finds it and refuses it.
#[derive(Debug)]
pub(super) struct ClearLine {
    stream: TcpStream,
    is_private: bool,
}

impl ClearLine {
    /// On which nothing was said yet.
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, is_private: false }
    }
}

impl AsyncTokioStream for ClearLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for ClearLine {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_private || buffer.remaining() == 0 {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut this.stream).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClearLine {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.is_private |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
