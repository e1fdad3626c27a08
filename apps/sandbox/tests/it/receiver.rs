//! A server that webhooks are sent to, answering as it is told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

/// A webhook as it came.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) event_id: String,
    pub(crate) signature: String,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn event(&self) -> String {
        self.json().get("event").and_then(Value::as_str).unwrap().to_owned()
    }
}

/// What it answers, one after the other, then 200; and how long it takes.
pub(crate) struct Manners {
    pub(crate) answers: Vec<u16>,
    pub(crate) wait: Duration,
}

struct Seen {
    manners: Mutex<Manners>,
    received: Mutex<Vec<Received>>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Seen>,
    server: ServerHandle,
}

impl Receiver {
    pub(crate) fn open() -> Self {
        Self::with(Manners { answers: Vec::new(), wait: Duration::ZERO })
    }

    /// Answers with these statuses first.
    pub(crate) fn answering(answers: &[u16]) -> Self {
        Self::with(Manners { answers: answers.to_vec(), wait: Duration::ZERO })
    }

    pub(crate) fn with(manners: Manners) -> Self {
        let seen = Arc::new(Seen { manners: Mutex::new(manners), received: Mutex::default() });
        let shared = web::Data::from(Arc::clone(&seen));
        let server =
            HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(receive)))
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
        let url = format!("http://{}/hook", server.addrs().first().unwrap());
        let running = server.run();
        let receiver = Self { url, seen, server: running.handle() };
        tokio::spawn(running);
        receiver
    }

    /// Everything that came, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.seen.received.lock().unwrap().clone()
    }

    /// The names of the events that came, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        self.received().iter().map(Received::event).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn receive(request: HttpRequest, body: web::Bytes, seen: web::Data<Seen>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
    let (answer, wait) = {
        let mut manners = seen.manners.lock().unwrap();
        let answer = if manners.answers.is_empty() { 200 } else { manners.answers.remove(0) };
        (answer, manners.wait)
    };
    seen.received.lock().unwrap().push(Received {
        at: Instant::now(),
        event_id: header("x-razorpay-event-id"),
        signature: header("x-razorpay-signature"),
        content_type: header("content-type"),
        body: body.to_vec(),
    });
    tokio::time::sleep(wait).await;
    HttpResponse::build(StatusCode::from_u16(answer).unwrap()).finish()
}
