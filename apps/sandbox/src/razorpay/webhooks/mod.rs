//! Webhooks: every event is signed, kept on record and sent until somebody takes it
//! (razorpay.com/docs/webhooks/validate-test, razorpay.com/docs/webhooks/best-practices).
//!
//! A webhook is taken when it is answered by a 2xx within five seconds. Otherwise it is tried again, each time after
//! twice as long, until 24 hours have passed since the event. Their order is nobody's promise.

mod behaviour;
mod event;
mod php_json;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use kernel::Ambient;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::Semaphore;
use url::Url;

use self::event::{Event, State, Try};
use super::books::Fact;
use super::config::RazorpayConfig;
use super::id;
use crate::background::Background;

pub use behaviour::WebhookBehaviour;

/// How long the receiver has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a webhook is tried.
const LIFE: TimeDelta = TimeDelta::hours(24);

/// How many events are kept on record; the oldest make room.
const CAPACITY: usize = 10_000;

/// How many webhooks are under way at once.
const CONNECTIONS: usize = 128;

/// The account's one webhook.
pub(super) struct Webhooks {
    ambient: Ambient,
    client: reqwest::Client,
    secret: SecretString,
    retry: Duration,
    under_way: Semaphore,
    deliveries: Background,
    desk: Mutex<Desk>,
}

/// What changes while the sandbox runs.
struct Desk {
    url: Option<Url>,
    behaviour: WebhookBehaviour,
    events: VecDeque<Arc<Event>>,
}

impl Webhooks {
    /// The webhook that the configuration tells of.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn new(
        config: &RazorpayConfig,
        ambient: Ambient,
        deliveries: Background,
    ) -> anyhow::Result<Self> {
        // It goes to this machine alone: neither by a proxy nor wherever an answer points to.
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot make a client for webhooks")?;
        Ok(Self {
            ambient,
            client,
            secret: config.webhook_secret.clone(),
            retry: config.webhook_retry,
            under_way: Semaphore::new(CONNECTIONS),
            deliveries,
            desk: Mutex::new(Desk {
                url: config.webhook_url.clone(),
                behaviour: WebhookBehaviour::default(),
                events: VecDeque::new(),
            }),
        })
    }

    /// Sends webhooks there from now on, also those that wait.
    pub(super) fn send_to(&self, url: Url) {
        self.desk().url = Some(url);
    }

    /// Changes how webhooks misbehave.
    pub(super) fn behave(&self, behaviour: WebhookBehaviour) {
        self.desk().behaviour = behaviour;
    }

    /// Puts a fact on record and sends it, unless it is to be lost.
    pub(super) fn publish(self: &Arc<Self>, fact: Fact, send: bool) {
        let mut desk = self.desk();
        let behaviour = desk.behaviour.clone();
        let secret = behaviour.secret.as_ref().unwrap_or(&self.secret);
        let id = id::fresh("", &self.ambient);
        let event = Arc::new(Event::new(id, fact, self.ambient.now(), secret));
        if desk.events.len() == CAPACITY {
            desk.events.pop_front();
        }
        desk.events.push_back(Arc::clone(&event));
        if !send || behaviour.drop || desk.url.is_none() {
            event.becomes(State::Dropped);
            return;
        }
        drop(desk);
        for _ in 0..=behaviour.duplicate {
            self.start(&event, behaviour.wait(&self.ambient));
        }
    }

    /// Sends an event on record once more, with the tries that a new one has. Tells whether there is such an event.
    pub(super) fn replay(self: &Arc<Self>, event_id: &str) -> bool {
        let found = self.desk().events.iter().find(|event| event.id == event_id).cloned();
        if let Some(event) = &found {
            event.becomes(State::Waiting);
            self.start(event, Duration::ZERO);
        }
        found.is_some()
    }

    /// Everything on record, the oldest first.
    pub(super) fn views(&self) -> Vec<Value> {
        self.desk().events.iter().map(|event| event.view()).collect()
    }

    /// Waits until nothing is under way and nothing waits to be tried again.
    pub(super) async fn sent(&self) {
        self.deliveries.idle().await;
    }

    fn start(self: &Arc<Self>, event: &Arc<Event>, wait: Duration) {
        let (webhooks, event) = (Arc::clone(self), Arc::clone(event));
        drop(self.deliveries.spawn(async move {
            tokio::time::sleep(wait).await;
            webhooks.deliver(&event).await;
        }));
    }

    async fn deliver(&self, event: &Event) {
        let mut wait = self.retry;
        let mut waited = TimeDelta::zero();
        loop {
            let at = self.ambient.now();
            let status = self.send(event).await;
            event.note(Try { at, status });
            tracing::info!(event = event.name, status, "webhook sent");
            if status.is_some_and(|status| (200..300).contains(&status)) {
                event.becomes(State::Delivered);
                return;
            }
            waited += TimeDelta::from_std(wait).unwrap_or(LIFE);
            if waited >= LIFE {
                event.becomes(State::GivenUp);
                return;
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2);
        }
    }

    /// Sends it once. Tells the status of the answer if there was one in time.
    async fn send(&self, event: &Event) -> Option<u16> {
        let _permit = self.under_way.acquire().await.ok()?;
        let url = self.desk().url.clone()?;
        let request = self
            .client
            .post(url)
            .header("Content-Type", "application/json")
            .header("User-Agent", "Razorpay-Webhook/v1")
            .header("X-Razorpay-Event-Id", &event.id)
            .header("X-Razorpay-Signature", &event.signature)
            .body(event.body.clone());
        Some(request.send().await.ok()?.status().as_u16())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
