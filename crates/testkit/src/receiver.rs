//! A server of somebody else's, that webhooks and reports are sent to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    head: String,
    /// Its body.
    pub body: String,
}

impl Request {
    /// A header's value, whatever the case of its name; a test stops where there is none.
    pub fn header(&self, name: &str) -> String {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).unwrap()
    }
}

/// The server; it runs as long as its runtime.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens: a free port of the loopback interface.
    pub port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    held: Arc<Semaphore>,
}

impl Receiver {
    /// Answers with these heads, one after the other, and then with 204. After an empty one it has read the request and
    /// hangs up.
    pub async fn answering(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                shared.lock().unwrap().push(request);
                let head = answers.next().unwrap_or_else(|| "204 No Content".to_owned());
                if head.is_empty() {
                    continue;
                }
                let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                // The client may have hung up already.
                drop(stream.write_all(answer.as_bytes()).await);
            }
        });
        Self { port, seen, held: Arc::new(Semaphore::new(0)) }
    }

    /// Answers each request with 204, but only after so many requests were [released](Self::release); it takes further
    /// ones meanwhile.
    pub async fn holding() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, held) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let (shared, gate) = (Arc::clone(&seen), Arc::clone(&held));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (shared, gate) = (Arc::clone(&shared), Arc::clone(&gate));
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    shared.lock().unwrap().push(request);
                    gate.acquire().await.unwrap().forget();
                    let answer = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    // The client may have hung up already.
                    drop(stream.write_all(answer.as_bytes()).await);
                });
            }
        });
        Self { port, seen, held }
    }

    /// Lets so many more requests be answered.
    pub fn release(&self, requests: usize) {
        self.held.add_permits(requests);
    }

    /// Everything that came, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Request { head: head.to_owned(), body: body.to_owned() };
            let length: usize = request.header("content-length").parse().unwrap();
            if body.len() >= length {
                return request;
            }
        }
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the client hung up in the middle of its request");
        bytes.extend_from_slice(&buffer[..read]);
    }
}
