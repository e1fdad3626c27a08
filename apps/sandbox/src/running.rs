//! Starting and stopping the sandbox's two servers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::SandboxConfig;
use crate::fcm::FcmTokenState;
use crate::razorpay::RazorpayDesk;
use crate::stage::Stage;
use crate::twilio::CallbackBehaviour;
use crate::{http, smtp};

/// How long requests and conversations under way may take to end, in seconds.
const GRACE: u64 = 1;

/// The sandbox, not yet running.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Opens both servers inside the current tokio runtime. They answer from the moment this returns.
    ///
    /// # Errors
    /// When one of the addresses cannot be listened on, or no HTTP client can be made.
    pub async fn start(config: SandboxConfig) -> anyhow::Result<Running> {
        let stopping = CancellationToken::new();
        let stage = Arc::new(Stage::new(&config, &stopping)?);

        let smtp = TcpListener::bind(config.smtp_bind)
            .await
            .with_context(|| format!("cannot listen for SMTP on {}", config.smtp_bind))?;
        let smtp_addr = smtp.local_addr()?;

        let shared = web::Data::from(Arc::clone(&stage));
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(http::routes))
            .workers(1)
            .disable_signals()
            .shutdown_timeout(GRACE)
            .bind(config.bind)
            .with_context(|| format!("cannot listen for HTTP on {}", config.bind))?;
        let http_addr = *server.addrs().first().context("the HTTP server has no address")?;
        let server = server.run();

        let conversations = TaskTracker::new();
        let post_office = smtp::PostOffice {
            stage: Arc::clone(&stage),
            patience: config.smtp_timeout,
            stopping: stopping.clone(),
            conversations: conversations.clone(),
        };
        conversations.spawn(post_office.serve(smtp));
        Ok(Running {
            http_addr,
            smtp_addr,
            stage,
            http: server.handle(),
            http_end: tokio::spawn(server),
            stopping,
            conversations,
        })
    }
}

/// A sandbox that runs until it is stopped or dropped.
#[must_use = "the sandbox stops when this is dropped"]
pub struct Running {
    http_addr: SocketAddr,
    smtp_addr: SocketAddr,
    stage: Arc<Stage>,
    http: ServerHandle,
    http_end: JoinHandle<std::io::Result<()>>,
    stopping: CancellationToken,
    conversations: TaskTracker,
}

impl Running {
    /// Where HTTP is served, with the port that was taken.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Where SMTP is served, with the port that was taken.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp_addr
    }

    /// The HTTP side as a base URL without a trailing slash: `http://127.0.0.1:4010`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http_addr)
    }

    /// The SMTP side as a URL: `smtp://127.0.0.1:4025`.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.smtp_addr)
    }

    /// The `StatusCallback` that a Twilio message was created with.
    pub fn status_callback(&self, message_sid: &str) -> Option<Url> {
        self.stage.messages.get(message_sid)?.status_callback.clone()
    }

    /// What becomes of Twilio's messages from now on, and how its reports misbehave.
    pub fn behave(&self, behaviour: CallbackBehaviour) {
        self.stage.callbacks.behave(behaviour);
    }

    /// What becomes of push messages to a token from now on.
    pub fn set_fcm_token(&self, token: &str, state: FcmTokenState) {
        self.stage.fcm.set_token(token, state);
    }

    /// How many access tokens Google has given.
    pub fn fcm_access_tokens(&self) -> usize {
        self.stage.fcm.granted()
    }

    /// The tokens that are subscribed to a topic, in their order.
    pub fn fcm_topic(&self, topic: &str) -> Vec<String> {
        self.stage.fcm.subscribers(topic)
    }

    /// The Razorpay account, to pay its orders and to see what it has.
    pub fn razorpay(&self) -> RazorpayDesk {
        RazorpayDesk::new(&self.stage.razorpay)
    }

    /// Waits until the HTTP server ends without having been told to, which only a failure makes it do.
    pub async fn failed(&mut self) -> anyhow::Error {
        match (&mut self.http_end).await {
            Ok(Ok(())) => anyhow!("the HTTP server ended by itself"),
            Ok(Err(error)) => anyhow!(error).context("the HTTP server failed"),
            Err(error) => anyhow!(error).context("the HTTP server broke down"),
        }
    }

    /// Closes both servers; what is under way has a second to end.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.conversations.close();
        let grace = Duration::from_secs(GRACE);
        let (_, smtp) =
            tokio::join!(self.http.stop(true), tokio::time::timeout(grace, self.conversations.wait()));
        if smtp.is_err() {
            tracing::warn!("an SMTP conversation was cut off");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopping.cancel();
        // The command is sent at once; only waiting for its end would need the future.
        drop(self.http.stop(false));
    }
}
