//! How notifying is set up.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::{CursorCodec, SealingKeys};
use store::Backoff;
use url::Url;

/// How many messages one person gets on one day of Indian time, by each way. Critical ones do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCaps {
    /// Events told by push, however many devices somebody has.
    pub push: u32,
    /// SMS; each costs money.
    pub sms: u32,
    /// Mails.
    pub email: u32,
}

impl Default for DailyCaps {
    /// 50 pushes, 5 SMS and 20 mails.
    fn default() -> Self {
        Self { push: 50, sms: 5, email: 20 }
    }
}

/// How notifying is set up.
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// Signs the cursors of its lists, and the links to unsubscribe.
    pub cursors: CursorCodec,
    /// Seal the devices' tokens and the webhooks' secrets.
    pub sealing: SealingKeys,
    /// The name that messages are sent in.
    pub brand: String,
    /// Where the marketplace's pages are: a notification's action is a path below it.
    pub web_url: Url,
    /// What takes a one-click `POST` to unsubscribe (RFC 8058); `token` is added to its query.
    pub unsubscribe_url: Url,
    /// What takes Twilio's status callbacks, as Twilio sees it; `delivery` is added to its query. `None` asks for none.
    pub sms_status_url: Option<Url>,
    /// Whether there is anybody to send push messages. Without, each is withheld, which its record says.
    pub can_push: bool,
    /// How much one person gets on one day.
    pub caps: DailyCaps,
    /// How often a message is tried before it is set aside as dead.
    pub max_attempts: u32,
    /// How long to wait between tries: at least half of its bound each time.
    pub backoff: Backoff,
    /// How long a message may be on its way to the provider; after that nobody knows what became of it. Longer than
    /// the longest call by a sender: a provider that answers nothing is asked three times for 15 seconds each, and so is
    /// one that stands in for it.
    pub lease: Duration,
    /// For how long notifications of one collapse key become one.
    pub merge_window: TimeDelta,
    /// How many devices one person has at most; the one that was not seen for longest makes room.
    pub devices_per_user: u32,
    /// For how long a failing webhook endpoint is tried before it is switched off.
    pub hook_patience: TimeDelta,
    /// For how long the old secret of a webhook endpoint signs beside the new one.
    pub hook_overlap: TimeDelta,
    /// Whether webhooks may go to this machine in the clear. For development alone.
    pub hooks_to_loopback: bool,
}

impl NotifyConfig {
    /// The usual limits: 12 tries within two and a half to five hours, two minutes on the way, merging within an hour, 20 devices,
    /// webhook endpoints switched off after five days.
    pub fn new(
        cursors: CursorCodec,
        sealing: SealingKeys,
        brand: &str,
        web_url: Url,
        unsubscribe_url: Url,
    ) -> Self {
        Self {
            cursors,
            sealing,
            brand: brand.chars().filter(|c| !c.is_control()).take(30).collect(),
            web_url,
            unsubscribe_url,
            sms_status_url: None,
            can_push: true,
            caps: DailyCaps::default(),
            max_attempts: 12,
            backoff: Backoff { base: Duration::from_secs(30), cap: Duration::from_secs(3_600) },
            lease: Duration::from_secs(120),
            merge_window: TimeDelta::hours(1),
            devices_per_user: 20,
            hook_patience: TimeDelta::days(5),
            hook_overlap: TimeDelta::hours(24),
            hooks_to_loopback: false,
        }
    }
}
