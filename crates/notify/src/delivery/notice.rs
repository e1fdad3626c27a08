//! What somebody is told, and what becomes of it.

use chrono::{DateTime, Utc};
use kernel::{DeliveryId, NotificationId, UserId};
use serde_json::Value as Json;

use super::Lane;
use crate::{Channel, Kind, Language};

/// Whom to tell, and by which ways they can be reached. The contact itself is looked up when something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub user: UserId,
    /// In which language.
    pub language: Language,
    /// Whether they have a verified phone number.
    pub has_phone: bool,
    /// Whether they have a verified address.
    pub has_email: bool,
}

/// What to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNotification {
    /// What it is about.
    pub kind: Kind,
    /// What makes it this one and no other, at most 190 characters: the event's id. Told twice, it is told once.
    pub event_key: String,
    /// The kind's variables.
    pub params: Json,
    /// Where it leads inside the app: a path such as `/listings/018f…`.
    pub action: Option<String>,
    /// By which ways alone, of those that the person wants; by all of them when it is `None`.
    pub only: Option<Vec<Channel>>,
}

impl NewNotification {
    pub(super) fn goes_by(&self, channel: Channel) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&channel))
    }
}

/// A message that will be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// By which way.
    pub channel: Channel,
    /// By which lane.
    pub lane: Lane,
    /// When.
    pub due_at: DateTime<Utc>,
}

/// What came of telling somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Whether it was new; an event that was told before changes nothing.
    pub is_new: bool,
    /// The notification in their inbox, unless they want none.
    pub notification: Option<NotificationId>,
    /// Whether the notification was there and tells of this event too now.
    pub merged: bool,
    /// The messages to be sent, for each of which the caller enqueues a job.
    pub deliveries: Vec<PlannedDelivery>,
}
