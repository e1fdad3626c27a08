//! What becomes of a message, and the reports of it that Twilio posts to its `StatusCallback`: `sent`, and then
//! `delivered`, `undelivered` or `failed` (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks).
//!
//! Only addresses of this machine are reported to; a message with any other, or with none, stays as it was created. A
//! report is sent once, as Twilio does: whoever does not take it misses it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::Ambient;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::message::Message;
use crate::background::Background;
use crate::config::{SandboxConfig, is_on_this_machine};

/// How long the receiver has to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// The window within which shuffled reports fall when no delay is told.
const SHUFFLE: Duration = Duration::from_millis(250);

/// How a message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsOutcome {
    /// The phone gets it.
    #[default]
    Delivered,
    /// The operator says that the phone did not get it.
    Undelivered,
    /// It is not handed to the operator.
    Failed,
}

impl SmsOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
        }
    }
}

/// What becomes of the messages that are created from now on, and how their reports misbehave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallbackBehaviour {
    /// How they end.
    pub outcome: SmsOutcome,
    /// The code that a bad end is told with, if not 30003 (twilio.com/docs/api/errors/30003).
    pub error_code: Option<u32>,
    /// How many more times each report is sent.
    pub duplicate: u32,
    /// Each report waits for a random part of the delay (or of a quarter of a second), so that they come in any order.
    pub shuffle: bool,
    /// How long each waits before it is sent.
    pub delay: Duration,
    /// None is sent.
    pub drop: bool,
}

/// Sends the reports.
pub(crate) struct Callbacks {
    ambient: Ambient,
    client: reqwest::Client,
    account_sid: String,
    auth_token: SecretString,
    background: Background,
    behaviour: Mutex<CallbackBehaviour>,
}

impl Callbacks {
    /// The account's reports. To be called inside the runtime that they are to be sent from.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn new(
        config: &SandboxConfig,
        ambient: &Ambient,
        stopping: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("cannot make a client for Twilio's reports")?;
        Ok(Self {
            ambient: ambient.clone(),
            client,
            account_sid: config.twilio_account_sid.clone(),
            auth_token: config.twilio_auth_token.clone(),
            background: Background::new(stopping.clone()),
            behaviour: Mutex::default(),
        })
    }

    /// What becomes of messages from now on.
    pub(crate) fn behave(&self, behaviour: CallbackBehaviour) {
        *self.behaviour() = behaviour;
    }

    /// Lets a message take its course, and reports it.
    pub(super) fn follow(&self, message: &Arc<Message>) {
        let behaviour = self.behaviour().clone();
        let Some(url) = message.status_callback.clone().filter(is_on_this_machine) else {
            return;
        };
        let bad =
            (behaviour.outcome != SmsOutcome::Delivered).then(|| behaviour.error_code.unwrap_or(30_003));
        let mut course = vec![("sent", None), (behaviour.outcome.as_str(), bad)];
        if behaviour.outcome == SmsOutcome::Failed {
            course.remove(0);
        }
        message.ends(behaviour.outcome.as_str(), bad);
        if behaviour.drop {
            return;
        }
        let reports = course.into_iter().map(|(status, error)| self.report(message, &url, status, error));
        let copies = 1 + usize::try_from(behaviour.duplicate).unwrap_or(0);
        let reports = reports.flat_map(|report| vec![report; copies]);
        // Each row is sent in order; in disorder there is a row for each report.
        let rows: Vec<Vec<Report>> = match behaviour.shuffle {
            true => reports.map(|report| vec![report]).collect(),
            false => vec![reports.collect()],
        };
        for row in rows {
            let (wait, client) = (self.wait(&behaviour), self.client.clone());
            drop(self.background.spawn(async move {
                for report in row {
                    tokio::time::sleep(wait).await;
                    report.send(&client).await;
                }
            }));
        }
    }

    fn wait(&self, behaviour: &CallbackBehaviour) -> Duration {
        if !behaviour.shuffle {
            return behaviour.delay;
        }
        let window = if behaviour.delay.is_zero() { SHUFFLE } else { behaviour.delay };
        Duration::from_micros(
            self.ambient.random_below(u64::try_from(window.as_micros()).unwrap_or(u64::MAX)),
        )
    }

    fn report(&self, message: &Message, url: &Url, status: &'static str, error: Option<u32>) -> Report {
        let mut fields = vec![
            ("AccountSid", self.account_sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("MessageSid", message.sid.clone()),
            ("MessageStatus", status.to_owned()),
            ("SmsSid", message.sid.clone()),
            ("SmsStatus", status.to_owned()),
            ("To", message.draft.to.clone()),
        ];
        if let Some(error) = error {
            fields.push(("ErrorCode", error.to_string()));
        }
        let signature = self.sign(url, &fields);
        Report { url: url.clone(), fields, signature }
    }

    /// Base64 of the HMAC-SHA1 of the address and of the fields in order of their names
    /// (twilio.com/docs/usage/webhooks/webhooks-security).
    fn sign(&self, url: &Url, fields: &[(&str, String)]) -> String {
        let mut sorted: Vec<_> = fields.iter().collect();
        sorted.sort();
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
        let mut mac = Hmac::<Sha1>::new_from_slice(self.auth_token.expose_secret().as_bytes())
            .expect("HMAC takes any key");
        mac.update(url.as_str().as_bytes());
        for (name, value) in sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn behaviour(&self) -> MutexGuard<'_, CallbackBehaviour> {
        self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One report of one message.
#[derive(Clone)]
struct Report {
    url: Url,
    fields: Vec<(&'static str, String)>,
    signature: String,
}

impl Report {
    async fn send(self, client: &reqwest::Client) {
        let request = client.post(self.url).header("X-Twilio-Signature", self.signature).form(&self.fields);
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        tracing::info!(status, "report of an SMS sent");
    }
}
