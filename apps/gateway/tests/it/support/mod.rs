//! A running gateway for one test, and people who use it.

mod answer;
mod people;

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{HttpServer, web};
use gateway::config::{Config, Profile};
use gateway::{AppState, create_app};
use reqwest::Method;
use sandbox::{Running, Sandbox, SandboxConfig};
use testkit::{FakeClock, TestDb, ambient};

pub(crate) use answer::{Answer, Call};
pub(crate) use people::{Session, code_in, fresh_phone};

/// A gateway that listens on a free port, with a clock that stands still, and a sandbox for SMS and mail.
pub(crate) struct TestApp {
    pub(crate) base: String,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) state: web::Data<AppState>,
    client: reqwest::Client,
    sandbox: Running,
    server: ServerHandle,
    /// Held for its end: the folder goes with it, also when a test fails.
    _media: MediaFolder,
}

/// A folder for one test's photos.
struct MediaFolder(std::path::PathBuf);

impl Drop for MediaFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The client of Firebase by the real clock: the sandbox has that one, and takes no access token of another day.
fn firebase(sandbox: &Running) -> Arc<dyn notify::PushSender> {
    let mut config = notify::FcmConfig::google(sandbox::FCM_SERVICE_ACCOUNT.into()).unwrap();
    config.base_url = sandbox.http_url().parse().unwrap();
    config.iid_url = config.base_url.clone();
    config.token_url = Some(format!("{}/token", sandbox.http_url()).parse().unwrap());
    Arc::new(notify::Fcm::new(config, kernel::Ambient::system()).unwrap())
}

impl TestApp {
    /// Starts one on the test's database, without rate limits.
    pub(crate) async fn start(db: &TestDb) -> Self {
        Self::start_with(db, |_| {}).await
    }

    /// Starts one with settings of its own.
    pub(crate) async fn start_with(db: &TestDb, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(db, FakeClock::at("2026-03-02T06:00:00Z"), adjust).await
    }

    /// Starts another process on the same database and with the same clock.
    pub(crate) async fn start_beside(&self, db: &TestDb, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(db, Arc::clone(&self.clock), adjust).await
    }

    async fn start_at(db: &TestDb, clock: Arc<FakeClock>, adjust: impl FnOnce(&mut Config)) -> Self {
        let sandbox = Sandbox::start(SandboxConfig::on_free_ports()).await.unwrap();
        let media = std::env::temp_dir().join(format!("dgt-media-{}", kernel::Ambient::system().new_uuid()));
        let mut config = gateway::config::load(None).unwrap();
        config.profile = Profile::Test;
        config.rate_limit.enabled = false;
        config.twilio.base_url = sandbox.http_url().parse().unwrap();
        config.smtp.url = sandbox.smtp_url().into();
        config.razorpay.base_url = sandbox.http_url().parse().unwrap();
        config.media.folder.clone_from(&media);
        config.fcm.service_account = Some(sandbox::FCM_SERVICE_ACCOUNT.into());
        adjust(&mut config);
        let ambient = ambient(&clock);
        let mut market = gateway::marketplace(&config, db.database().clone(), ambient.clone()).await.unwrap();
        market.senders.push = market.senders.push.map(|_| firebase(&sandbox));
        let metrics = gateway::telemetry::detached_metrics();
        let state =
            web::Data::new(AppState::new(config, db.database().clone(), ambient, market, metrics).unwrap());
        let shared = state.clone();
        let server = HttpServer::new(move || create_app(shared.clone()))
            .workers(1)
            .disable_signals()
            .shutdown_timeout(1)
            .on_connect(realtime::on_connect)
            .bind(("127.0.0.1", 0))
            .unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { base, clock, state, client, sandbox, server: handle, _media: MediaFolder(media) }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.client.request(method, format!("{}{path}", self.base)))
    }

    /// The newest message that the sandbox received for somebody, by `sms`, `email` or `push`.
    pub(crate) async fn message(&self, channel: &str, to: &str) -> String {
        self.messages(channel, to).await.into_iter().next().unwrap_or_default()
    }

    /// What all of them say, newest first.
    pub(crate) async fn messages(&self, channel: &str, to: &str) -> Vec<String> {
        let received = self.received(channel, to).await;
        received.iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    }

    /// All of them as the sandbox shows them, newest first.
    pub(crate) async fn received(&self, channel: &str, to: &str) -> Vec<serde_json::Value> {
        let url = format!("{}/inbox", self.sandbox.http_url());
        let query = [("channel", channel), ("to", to)];
        self.client.get(url).query(&query).send().await.unwrap().json().await.unwrap()
    }

    /// Where the sandbox is, for its faults.
    pub(crate) fn sandbox_url(&self) -> String {
        self.sandbox.http_url()
    }

    /// The payment provider's own side: where orders are paid and refunds end.
    pub(crate) fn razorpay(&self) -> sandbox::RazorpayDesk {
        self.sandbox.razorpay()
    }

    /// Tells a provider how to misbehave, instead of what it was told before.
    pub(crate) async fn fault(&self, fault: &serde_json::Value) {
        let url = format!("{}/control/faults", self.sandbox.http_url());
        let answer = self.client.post(url).json(fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Lets all providers behave.
    pub(crate) async fn no_faults(&self) {
        let url = format!("{}/control/faults", self.sandbox.http_url());
        self.client.delete(url).send().await.unwrap();
    }

    /// Runs the jobs that are due now; gives how many.
    pub(crate) async fn run_jobs(&self) -> usize {
        marketplace::worker(&self.state.market).run_due().await.unwrap()
    }

    /// Stops everything, so that the database can be removed.
    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
        self.sandbox.stop().await;
    }
}
