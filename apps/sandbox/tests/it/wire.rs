//! A bare SMTP connection, to say what no mail client would say.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    /// Connects, and reads nothing yet.
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        Self(BufReader::new(TcpStream::connect(to).await.unwrap()))
    }

    /// Connects and says `EHLO`.
    pub(crate) async fn greeted(to: SocketAddr) -> Self {
        let mut wire = Self::connect(to).await;
        assert_eq!(wire.reply().await.0, 220);
        assert_eq!(wire.say("EHLO test.example.in").await, 250);
        wire
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Sends a command and tells the code of its reply.
    pub(crate) async fn say(&mut self, command: &str) -> u16 {
        self.write(format!("{command}\r\n").as_bytes()).await;
        self.reply().await.0
    }

    /// A whole reply: its code and the text of its lines.
    pub(crate) async fn reply(&mut self) -> (u16, Vec<String>) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            timeout(PATIENCE, self.0.read_line(&mut line)).await.unwrap().unwrap();
            let text = line.strip_suffix("\r\n").unwrap();
            let (code, text) = text.split_at_checked(3).unwrap();
            lines.push(text.get(1..).unwrap().to_owned());
            if text.starts_with(' ') {
                return (code.parse().unwrap(), lines);
            }
        }
    }

    /// Says `MAIL`, `RCPT` and `DATA`, then the given bytes, and tells the code of the last reply.
    pub(crate) async fn send(&mut self, message: &[u8]) -> u16 {
        assert_eq!(self.say("MAIL FROM:<shop@example.in>").await, 250);
        assert_eq!(self.say("RCPT TO:<asha@example.in>").await, 250);
        assert_eq!(self.say("DATA").await, 354);
        self.write(message).await;
        self.reply().await.0
    }

    /// Whether the server closes the connection without saying anything more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.unwrap();
        // A reset is a close too: it happens when the server had not read everything.
        rest.is_empty()
            && ended.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |_| true)
    }
}
