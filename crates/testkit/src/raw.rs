//! A server that answers every connection with the same bytes, however wrong they are: for clients of providers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the server does with a connection once it has read the beginning of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Says this and hangs up.
    Say(Vec<u8>),
    /// Says this at once, without waiting for a word, and then nothing more.
    Greet(&'static [u8]),
    /// Says nothing and keeps the line open.
    Silence,
    /// Hangs up.
    HangUp,
    /// Says one byte of an endless answer every few milliseconds.
    Drip,
}

/// The server; it runs as long as its runtime.
#[derive(Debug)]
pub struct RawServer {
    /// Where it listens: a free port of the loopback interface.
    pub addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl RawServer {
    /// Begins to listen.
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    if let Answer::Greet(bytes) = answer {
                        stream.write_all(bytes).await.unwrap();
                        return std::future::pending().await;
                    }
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    match answer {
                        Answer::Say(bytes) => {
                            let _ = stream.write_all(&bytes).await;
                            let _ = stream.shutdown().await;
                        }
                        Answer::HangUp | Answer::Greet(_) => {}
                        Answer::Silence => std::future::pending().await,
                        Answer::Drip => {
                            let head = b"HTTP/1.1 201 Created\r\ncontent-length: 100000\r\n\r\n";
                            let _ = stream.write_all(head).await;
                            while stream.write_all(b" ").await.is_ok() {
                                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                            }
                        }
                    }
                });
            }
        });
        Self { addr, connections }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// An HTTP answer with its length.
pub fn http(status: u16, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Answer::Say([head.as_bytes(), body].concat())
}

/// An address that nobody listens on.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
