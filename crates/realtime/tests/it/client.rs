//! Clients that send exactly what a test says.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::server::Server;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(5);

/// A path with its query, after the host.
pub(crate) fn url(server: &Server, path_and_query: &str) -> String {
    format!("http://{}{path_and_query}", server.address)
}

/// A client over long-polling.
pub(crate) struct Polling {
    http: reqwest::Client,
    url: String,
    pub(crate) sid: String,
    pub(crate) open: Value,
}

impl Polling {
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        let http = client();
        let url = url(server, &format!("{path}/?EIO=4&transport=polling"));
        let response = http.get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        let open: Value = serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap();
        let sid = open["sid"].as_str().unwrap().to_owned();
        Self { http, url: format!("{url}&sid={sid}"), sid, open }
    }

    /// Status and body of a GET.
    pub(crate) async fn get(&self) -> (u16, String) {
        let response = self.http.get(&self.url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Status and body of a POST.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        let response = self.http.post(&self.url).body(body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Another client of the same connection.
    pub(crate) fn another(&self) -> Self {
        let (url, sid, open) = (self.url.clone(), self.sid.clone(), self.open.clone());
        Self { http: client(), url, sid, open }
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

/// A client over WebSocket.
pub(crate) struct Ws(pub(crate) WebSocketStream<TcpStream>);

impl Ws {
    /// Connects; the open packet is still to be read.
    pub(crate) async fn connect(server: &Server, path: &str, sid: Option<&str>) -> Self {
        let sid = sid.map(|sid| format!("&sid={sid}")).unwrap_or_default();
        Self::try_connect(server, &format!("{path}/?EIO=4&transport=websocket{sid}"), None).await.unwrap()
    }

    /// The status of the refusal, if it is refused.
    pub(crate) async fn try_connect(
        server: &Server,
        path_and_query: &str,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let stream = TcpStream::connect(&server.address).await.unwrap();
        Self::try_over(stream, server, path_and_query, origin).await
    }

    async fn try_over(
        stream: TcpStream,
        server: &Server,
        path_and_query: &str,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{}{path_and_query}", server.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((stream, _)) => Ok(Self(stream)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects, and reads the open packet.
    pub(crate) async fn open(server: &Server, path: &str) -> Self {
        Self::connect(server, path, None).await.opened().await
    }

    async fn opened(mut self) -> Self {
        assert!(self.text().await.starts_with('0'));
        self
    }

    /// Enters the main namespace over this stream.
    pub(crate) async fn enter_over(stream: TcpStream, server: &Server) -> Self {
        let path_and_query = "/socket.io/?EIO=4&transport=websocket";
        let ws = Self::try_over(stream, server, path_and_query, None).await.unwrap();
        ws.opened().await.ask_in("").await.0
    }

    /// Connects and enters a namespace with such a payload; gives the answer too.
    pub(crate) async fn enter(server: &Server, auth: &str) -> (Self, Value) {
        Self::open(server, "/socket.io").await.ask_in(auth).await
    }

    async fn ask_in(self, auth: &str) -> (Self, Value) {
        let mut ws = self;
        ws.send(&format!("40{auth}")).await;
        let mut missed = Vec::new();
        loop {
            let text = ws.text().await;
            if let Some(answer) = text.strip_prefix("40") {
                let mut answer: Value = serde_json::from_str(answer).unwrap();
                if !missed.is_empty() {
                    answer["missed"] = missed.into();
                }
                return (ws, answer);
            }
            missed.push(text);
        }
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, data: &[u8]) {
        self.0.send(Message::binary(data.to_vec())).await.unwrap();
    }

    /// The next message of either kind; none when the connection ends.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a message in time");
            match next? {
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(message) => return Some(message),
            }
        }
    }

    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text.to_string(),
            other => panic!("text was expected, not {other:?}"),
        }
    }

    /// The next text that is no ping; pings are answered.
    pub(crate) async fn said(&mut self) -> String {
        loop {
            match self.text().await.as_str() {
                "2" => self.send("3").await,
                text => return text.to_owned(),
            }
        }
    }

    /// The next bytes; pings before them are answered.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                Some(Message::Binary(data)) => return data.to_vec(),
                Some(Message::Text(text)) if text.as_str() == "2" => self.send("3").await,
                other => panic!("bytes were expected, not {other:?}"),
            }
        }
    }

    /// Asserts that the server ends the connection, whatever it still sends before.
    pub(crate) async fn closed(mut self) {
        while self.next().await.is_some() {}
    }

    /// Asserts that nothing comes for a moment.
    pub(crate) async fn silence(&mut self) {
        let next = tokio::time::timeout(Duration::from_millis(60), self.0.next()).await;
        assert!(next.is_err(), "nothing was expected, not {next:?}");
    }
}
