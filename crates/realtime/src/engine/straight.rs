//! A WebSocket that is written to by its own [line](crate::engine::line): its connection's shard writes what is sent, and
//! the body what was left of that, what answers a frame, and the end.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::engine::line::Line;
use crate::engine::turn::{Turn, wake_after_io};
use crate::engine::websocket::{Body, Phase, Way};
use crate::reason::Reason;

impl Body {
    /// Writes straight from now on, if it can, and this packet shows that nothing is on its way through the server: not
    /// one that came together with what was asked, before the server had a chance to write the question.
    pub(super) fn go_straight(&mut self, packet: &[u8]) {
        if self.turn == Turn::default()
            && self.given.is_answered_by(packet)
            && self.connection.state().line.as_mut().is_some_and(Line::prove)
        {
            self.way = Way::Straight;
        }
    }

    /// As [`actix_http::body::MessageBody::poll_next`]; gives the server nothing to write.
    pub(super) fn poll_straight(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            let is_clear = match self.poll_line(context) {
                Poll::Pending => false,
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => {
                    self.phase = Phase::Over;
                    self.connection.end(Reason::TransportClose);
                    return Poll::Ready(None);
                }
            };
            self.read(context);
            if is_clear && self.urgent.is_some() {
                continue;
            }
            let mut state = self.connection.state();
            // A client that said goodbye gets what is under way and the answer, if it takes them in time.
            if state.is_over || self.phase == Phase::Over && is_clear {
                return Poll::Ready(None);
            }
            let has_more = !state.queue.is_empty();
            match state.ended {
                Some(reason) if self.phase == Phase::Open && is_clear && !has_more => {
                    drop(state);
                    self.close(reason);
                }
                _ => {
                    state.set_writer(context.waker());
                    // The next turn comes after those of others.
                    if self.phase == Phase::Open && is_clear && has_more {
                        wake_after_io(context);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Ready when what is urgent and the next turn of what waits is written.
    fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.connection.state();
        loop {
            let Some(line) = &mut state.line else { return Poll::Ready(Ok(())) };
            ready!(line.poll_clear(context))?;
            if let Some(urgent) = self.urgent.take() {
                line.write(*urgent)?;
            } else if self.phase == Phase::Open {
                self.connection.write_turn(&mut state)?;
            }
            if !state.is_blocked() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use actix_web::{App, HttpServer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use crate::config::{EngineConfig, Origins};
    use crate::engine::{Application, Connection, Engine, Handler, Message, on_connect};
    use crate::reason::Reason;

    /// Keeps the connections, and sends what it hears to the one that said it.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Arc<Connection>>>>);

    impl Application for Kept {
        fn open(&self, connection: &Arc<Connection>) -> Arc<dyn Handler> {
            self.0.lock().unwrap().push(Arc::clone(connection));
            Arc::new(self.clone())
        }
    }

    impl Handler for Kept {
        fn message(&self, connection: &Arc<Connection>, message: Message) -> Result<(), Reason> {
            connection.send(&message);
            Ok(())
        }
    }

    impl Kept {
        fn connection(&self) -> Arc<Connection> {
            Arc::clone(self.0.lock().unwrap().first().unwrap())
        }

        fn is_straight(&self) -> bool {
            self.connection().state().is_straight()
        }
    }

    struct Client(TcpStream);

    impl Client {
        async fn upgrade(address: &str, query: &str) -> Self {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!(
                "GET /engine.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut client = Self(stream);
            client.hear(b"\r\n\r\n").await;
            client
        }

        /// One whose first message has been answered, and who is written to straight.
        async fn straight(address: &str, kept: &Kept) -> Self {
            let mut client = Self::upgrade(address, "").await;
            client.hear(b"}").await;
            client.say(b"4one").await;
            client.hear(b"one").await;
            assert!(kept.is_straight());
            client
        }

        async fn send_close(&mut self) {
            self.0.write_all(&[0x88, 0x80, 0, 0, 0, 0]).await.unwrap();
        }

        /// Everything up to the end of the connection.
        async fn rest(mut self) -> Vec<u8> {
            let mut rest = Vec::new();
            let end = tokio::time::timeout(Duration::from_secs(5), self.0.read_to_end(&mut rest));
            end.await.unwrap().unwrap();
            rest
        }

        /// Reads up to these bytes.
        async fn hear(&mut self, until: &[u8]) -> Vec<u8> {
            let mut heard = Vec::new();
            while !heard.ends_with(until) {
                heard.push(self.0.read_u8().await.unwrap());
            }
            heard
        }

        async fn say(&mut self, packet: &[u8]) {
            let length = u8::try_from(packet.len()).unwrap();
            self.0.write_all(&[&[0x81, 0x80 | length, 0, 0, 0, 0], packet].concat()).await.unwrap();
        }
    }

    fn start(ping: Duration) -> (String, Kept) {
        let kept = Kept::default();
        let config = EngineConfig { ping_interval: ping, origins: Origins::Any, ..EngineConfig::default() };
        let engine = Engine::new(config, Arc::new(kept.clone()));
        let server = HttpServer::new(move || App::new().configure(|app| engine.configure(app)));
        let server = server.workers(2).disable_signals().on_connect(on_connect);
        let server = server.bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs().first().unwrap().to_string();
        drop(actix_web::rt::spawn(server.run()));
        (address, kept)
    }

    const NEVER: Duration = Duration::from_secs(60);

    #[actix_web::test]
    async fn a_websocket_goes_straight_with_the_clients_first_message() {
        let (address, kept) = start(NEVER);
        let mut client = Client::upgrade(&address, "").await;
        client.hear(b"}").await;
        assert!(!kept.is_straight());
        client.say(b"4one").await;
        assert_eq!(client.hear(b"one").await, b"\x81\x044one");
        assert!(kept.is_straight());
        kept.connection().send(&Message::Text("two".into()));
        assert_eq!(client.hear(b"two").await, b"\x81\x044two");
        kept.connection().end(Reason::Shutdown);
        assert_eq!(client.hear(&[0xe9]).await, [0x88, 2, 0x03, 0xe9], "1001");
    }

    /// It has stopped reading for a while, and so the answer comes behind what the kernel did not take.
    #[actix_web::test]
    async fn a_slow_clients_close_frame_is_answered_too() {
        let (address, kept) = start(NEVER);
        let mut client = Client::straight(&address, &kept).await;
        let mut sent = 0;
        while !kept.connection().state().is_blocked() {
            kept.connection().send(&Message::Text("x".repeat(15_000).into()));
            tokio::time::sleep(Duration::from_millis(1)).await;
            sent += 1;
            assert!(sent < 5_000, "the kernel takes everything");
        }
        client.send_close().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let rest = client.rest().await;
        assert!(rest.ends_with(&[b'x', 0x88, 2, 0x03, 0xe8]), "{} bytes", rest.len());
    }

    #[actix_web::test]
    async fn a_close_frame_is_answered_and_a_ping_too() {
        let (address, kept) = start(NEVER);
        let mut client = Client::straight(&address, &kept).await;
        client.0.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'h', b'i']).await.unwrap();
        assert_eq!(client.hear(b"hi").await, b"\x8a\x02hi");
        client.send_close().await;
        let rest = client.rest().await;
        assert_eq!(rest, [0x88, 2, 0x03, 0xe8]);
    }

    /// Whoever still has the connection must not hold its socket.
    #[actix_web::test]
    async fn the_handle_goes_with_the_transport() {
        let (address, kept) = start(NEVER);
        let mut client = Client::straight(&address, &kept).await;
        client.say(b"1").await;
        client.hear(&[0x88, 2, 0x03, 0xe8]).await;
        client.send_close().await;
        let rest = client.rest().await;
        assert!(rest.is_empty() && kept.connection().has_ended() && !kept.is_straight());
    }

    #[actix_web::test]
    async fn what_was_sent_before_the_first_message_waits_for_a_pong() {
        let (address, kept) = start(Duration::from_secs(1));
        let mut client = Client::upgrade(&address, "").await;
        client.hear(b"}").await;
        kept.connection().send(&Message::Text("early".into()));
        client.hear(b"early").await;
        client.say(b"4one").await;
        client.hear(b"one").await;
        assert!(!kept.is_straight(), "the message may have been on its way before");
        client.hear(b"\x81\x012").await;
        client.say(b"3").await;
        client.say(b"4two").await;
        client.hear(b"two").await;
        assert!(kept.is_straight());
    }

    #[actix_web::test]
    async fn an_upgraded_connection_goes_straight_at_once() {
        let (address, kept) = start(NEVER);
        let mut polling = TcpStream::connect(&address).await.unwrap();
        let request = "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";
        polling.write_all(request.as_bytes()).await.unwrap();
        while kept.0.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let sid = format!("&sid={}", kept.connection().id());
        let mut client = Client::upgrade(&address, &sid).await;
        client.say(b"2probe").await;
        client.hear(b"3probe").await;
        assert!(!kept.is_straight());
        client.say(b"5").await;
        client.say(b"4one").await;
        client.hear(b"one").await;
        assert!(kept.is_straight());
    }
}
