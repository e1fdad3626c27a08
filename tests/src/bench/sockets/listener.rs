//! One socket's side of the measurement. The frames are read by hand, so that this client is not what is measured.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

/// What a reader that is stuck has in its kernel, in bytes: little, so that the server is what must hold the rest.
const STUCK_BUFFER: u32 = 4_096;
/// The end of what a reader gets that was cut for being too slow: a close frame with the code 1008 (RFC 6455, 7.4.1).
const CUT: [u8; 4] = [0x88, 2, 0x03, 0xf0];
/// How long the rest may take to come once a stuck reader reads again.
const REST: Duration = Duration::from_secs(10);

/// Somebody in the room.
#[derive(Debug)]
pub struct Listener {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    buffer: Vec<u8>,
}

/// A socket got so many broadcasts.
pub(super) struct Arrival {
    pub(super) socket: usize,
    pub(super) count: u32,
}

impl Listener {
    /// Connects over WebSocket and joins the main namespace.
    ///
    /// # Errors
    /// When the server does not let it in.
    pub async fn connect(address: &str) -> anyhow::Result<Self> {
        Self::enter(TcpStream::connect(address).await?, address).await
    }

    async fn enter(stream: TcpStream, address: &str) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let mut listener = Self { reader, writer, buffer: Vec::new() };
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        listener.writer.write_all(request.as_bytes()).await?;
        let end = loop {
            if let Some(at) = listener.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            listener.read().await?;
        };
        ensure!(listener.buffer.starts_with(b"HTTP/1.1 101"), "the server does not speak WebSocket");
        listener.buffer.drain(..end);
        listener.send(b"40").await?;
        loop {
            while let Some(frame) = listener.frame() {
                if frame.starts_with(b"40") {
                    return Ok(listener);
                }
            }
            listener.read().await?;
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        ensure!(self.reader.read_buf(&mut self.buffer).await? > 0, "the server closed a connection");
        Ok(())
    }

    /// Takes the next frame's data, if it is there in full.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let (data, length) = next_frame(&self.buffer)?;
        let data = data.to_vec();
        self.buffer.drain(..length);
        Some(data)
    }

    /// Takes what has come, without waiting, and answers pings: one that only sends would be cut otherwise.
    pub(super) async fn keep_alive(&mut self) -> anyhow::Result<()> {
        loop {
            match self.reader.try_read_buf(&mut self.buffer) {
                Ok(length) => ensure!(length > 0, "the server closed the emitter's connection"),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        while let Some(frame) = self.frame() {
            if frame == b"2" {
                self.send(b"3").await?;
            }
        }
        Ok(())
    }

    /// Sends a short text, masked with zeros.
    pub(super) async fn send(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len())?, 0, 0, 0, 0];
        frame.extend_from_slice(text);
        self.writer.write_all(&frame).await?;
        Ok(())
    }

    /// Counts broadcasts and answers pings until the connection ends.
    pub(super) async fn listen(
        mut self,
        socket: usize,
        arrivals: mpsc::UnboundedSender<Arrival>,
    ) -> anyhow::Result<()> {
        loop {
            let (mut at, mut count, mut is_pinged) = (0, 0, false);
            while let Some((data, length)) = next_frame(self.buffer.get(at..).unwrap_or_default()) {
                count += u32::from(data.starts_with(b"42"));
                is_pinged |= data == b"2";
                at += length;
            }
            self.buffer.drain(..at);
            if count > 0 {
                arrivals.send(Arrival { socket, count })?;
            }
            if is_pinged {
                self.send(b"3").await?;
            }
            self.read().await?;
        }
    }
}

/// Somebody in the room who does not read.
pub struct StuckReader(Listener);

impl StuckReader {
    /// Enters the room, and then reads nothing.
    ///
    /// # Errors
    /// When the server does not let it in.
    pub async fn enter(address: &str) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(STUCK_BUFFER)?;
        Ok(Self(Listener::enter(socket.connect(address.parse()?).await?, address).await?))
    }

    /// Reads at last: whether the server has cut it meanwhile because too much waited for it. It is told so if it reads soon
    /// enough, and else finds its connection closed.
    pub async fn was_cut(mut self) -> bool {
        let mut end = Vec::new();
        let mut chunk = vec![0; 64 * 1024];
        let rest = async {
            while end != CUT
                && let Ok(length @ 1..) = self.0.reader.read(&mut chunk).await
            {
                end.extend_from_slice(chunk.get(..length).unwrap_or_default());
                end.drain(..end.len().saturating_sub(CUT.len()));
            }
        };
        // One that was not cut gets everything, and then waits for more.
        tokio::time::timeout(REST, rest).await.is_ok()
    }
}

impl std::fmt::Debug for StuckReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StuckReader")
    }
}

/// The data of the first frame, and the length of all of it. A server's frames are unmasked (RFC 6455, 5.1).
fn next_frame(buffer: &[u8]) -> Option<(&[u8], usize)> {
    let (head, length) = match usize::from(*buffer.get(1)?) {
        126 => (4, usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]))),
        127 => return None,
        length => (2, length),
    };
    Some((buffer.get(head..head + length)?, head + length))
}
