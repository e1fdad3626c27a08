//! How webhooks are told to misbehave: late, twice, in disorder, never, or signed with a former secret.

use std::time::Duration;

use kernel::Ambient;
use secrecy::SecretString;

/// The window within which shuffled deliveries fall when no delay is told.
const SHUFFLE: Duration = Duration::from_millis(250);

/// What is done to the webhooks of what happens from now on.
#[derive(Debug, Clone, Default)]
pub struct WebhookBehaviour {
    /// How many more times each is sent.
    pub duplicate: u32,
    /// Each waits for a random part of the delay (or of a quarter of a second), so that they come in any order.
    pub shuffle: bool,
    /// How long each waits before it is sent.
    pub delay: Duration,
    /// None is sent; they are on record and can be replayed.
    pub drop: bool,
    /// What they are signed with instead of the account's webhook secret.
    pub secret: Option<SecretString>,
}

impl WebhookBehaviour {
    /// How long one copy waits.
    pub(super) fn wait(&self, ambient: &Ambient) -> Duration {
        if !self.shuffle {
            return self.delay;
        }
        let window = if self.delay.is_zero() { SHUFFLE } else { self.delay };
        let micros = u64::try_from(window.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(ambient.random_below(micros))
    }
}
