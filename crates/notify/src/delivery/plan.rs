//! Telling somebody something: their inbox and the messages that follow, in the transaction of the event.

use chrono::{DateTime, Utc};
use kernel::{DeliveryId, DeviceId, NotificationId, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::{Map, Value as Json, json};

use super::Lane;
use super::known::{Known, note_events};
use super::notice::{NewNotification, PlannedDelivery, Recipient, Told};
use super::rows::{self, NewDelivery};
use super::rules::{check, collapse_key};
use super::slot;
use crate::preference::{self, Choices};
use crate::template::{self, TemplateKey, Words};
use crate::{Channel, DeliveryStatus, Notify, NotifyError, clock, device, inbox};

/// Why a message is withheld that nobody is there to send.
pub(super) const NO_PROVIDER: &str = "no_provider";

/// What is being told, with all that its parts need to know.
struct Telling<'a> {
    recipient: &'a Recipient,
    new: &'a NewNotification,
    choices: Choices,
    /// Whether their inbox is told.
    in_inbox: bool,
    collapse_key: Option<String>,
    params: Json,
    /// How many events are told: more than one, where it is merged with what was told before.
    count: i64,
    merged_into: Option<NotificationId>,
    now: DateTime<Utc>,
}

impl Notify {
    /// Tells somebody something: writes the notification into their inbox, and a row for each message that follows.
    /// What was told before under the same key is not told again.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] when a variable is missing or of a wrong type, or the action is no path.
    pub async fn notify_in_txn(
        &self,
        txn: &DatabaseTransaction,
        recipient: &Recipient,
        new: &NewNotification,
    ) -> Result<Told, NotifyError> {
        let told = self.notify_all_in_txn(txn, &[(recipient, new)]).await?;
        Ok(told.into_iter().next().unwrap_or_default())
    }

    /// Tells several people something, each as [`notify_in_txn`](Self::notify_in_txn), in the order of their ids; one person's
    /// in the order in which it happened. Gives what came of each.
    ///
    /// # Errors
    /// As there, of the first that cannot be told.
    pub async fn notify_all_in_txn(
        &self,
        txn: &DatabaseTransaction,
        news: &[(&Recipient, &NewNotification)],
    ) -> Result<Vec<Told>, NotifyError> {
        for (_, new) in news {
            check(new)?;
        }
        let are_new = note_events(txn, news, self.ambient.now()).await?;
        let fresh: Vec<_> =
            news.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(told, _)| *told).collect();
        let known = Known::load(txn, &fresh).await?;
        let (mut all, mut alone) = (Vec::with_capacity(news.len()), Vec::with_capacity(fresh.len()));
        for ((recipient, new), is_new) in news.iter().zip(are_new) {
            all.push(match is_new {
                true => self.tell(txn, &known, recipient, new, &mut alone).await?,
                false => Told::default(),
            });
        }
        inbox::insert(txn, &alone).await?;
        Ok(all)
    }

    /// Tells somebody an event that is new to them. A notification that nothing is ever merged with is left to be written
    /// together with its like.
    async fn tell<'a>(
        &self,
        txn: &DatabaseTransaction,
        known: &Known,
        recipient: &'a Recipient,
        new: &'a NewNotification,
        alone: &mut Vec<inbox::NewRow<'a>>,
    ) -> Result<Told, NotifyError> {
        let now = self.ambient.now();
        let choices = known.choices(recipient.user);
        let in_inbox = new.goes_by(Channel::InApp) && choices.lets(new.kind, Channel::InApp);
        let collapse_key = new.kind.spec().collapses.then(|| collapse_key(new));
        let (merged_into, count) = match &collapse_key {
            Some(key) => self.open_slot(txn, recipient.user, key, in_inbox, now).await?,
            None => (None, 1),
        };
        let mut params: Map<String, Json> = new.params.as_object().cloned().unwrap_or_default();
        params.insert("count".to_owned(), json!(count));
        let params = Json::Object(params);
        let mut telling =
            Telling { recipient, new, choices, in_inbox, collapse_key, params, count, merged_into, now };
        let (notification, merged) = self.write_inbox(txn, known, &mut telling, alone).await?;
        let mut deliveries = Vec::new();
        for channel in [Channel::Push, Channel::Sms, Channel::Email] {
            deliveries.extend(self.plan(txn, &telling, channel).await?);
        }
        Ok(Told { is_new: true, notification, merged, deliveries })
    }

    /// Locks the slot of a collapse key; gives the notification that is open in it, if the inbox is told, and how many events
    /// the slot tells of with this one.
    async fn open_slot(
        &self,
        txn: &DatabaseTransaction,
        user: UserId,
        key: &str,
        in_inbox: bool,
        now: DateTime<Utc>,
    ) -> Result<(Option<NotificationId>, i64), NotifyError> {
        let slot = slot::lock(txn, user, key, now).await?;
        let is_open = slot.opened_at + self.config.merge_window > now;
        match slot.notification {
            // One that was read is not written over: what is new comes as a new one.
            Some(id) if is_open && in_inbox && slot::is_unread(txn, user, id).await? => {
                Ok((Some(id), slot.merged + 1))
            }
            None if is_open && !in_inbox && slot.merged > 0 => Ok((None, slot.merged + 1)),
            _ => Ok((None, 1)),
        }
    }

    async fn write_inbox<'a>(
        &self,
        txn: &DatabaseTransaction,
        known: &Known,
        telling: &mut Telling<'a>,
        alone: &mut Vec<inbox::NewRow<'a>>,
    ) -> Result<(Option<NotificationId>, bool), NotifyError> {
        let Telling { recipient, new, .. } = *telling;
        if !telling.in_inbox {
            let (count, opened_at) = (telling.count, (telling.count == 1).then_some(telling.now));
            if let Some(key) = &telling.collapse_key {
                slot::fill(txn, recipient.user, key, None, count, opened_at).await?;
            }
            return Ok((None, false));
        }
        let key = TemplateKey { kind: new.kind, channel: Channel::InApp, language: recipient.language };
        let own = known.parts(new.kind, recipient.language, Channel::InApp);
        let link = self.link(new.action.as_deref());
        let words = Words { brand: &self.config.brand, link: &link, unsubscribe: "", count: telling.count };
        let text = template::render(&self.engine, key, own, &telling.params, words)?;
        let row = inbox::NewRow {
            id: self.ambient.new_id(),
            user: recipient.user,
            kind: new.kind,
            collapse_key: telling.collapse_key.clone(),
            text,
            action: new.action.as_deref(),
            data: &new.params,
            language: recipient.language,
            now: telling.now,
        };
        let Some(key) = &telling.collapse_key else {
            let id = row.id;
            alone.push(row);
            return Ok((Some(id), false));
        };
        let merged = match telling.merged_into {
            Some(id) if inbox::merge(txn, id, telling.count, &row).await? => Some(id),
            _ => None,
        };
        if merged.is_none() {
            inbox::insert(txn, std::slice::from_ref(&row)).await?;
            telling.count = 1;
        }
        let id = merged.unwrap_or(row.id);
        let opened_at = merged.is_none().then_some(telling.now);
        slot::fill(txn, recipient.user, key, Some(id), telling.count, opened_at).await?;
        Ok((Some(id), merged.is_some()))
    }

    /// Plans the messages of one way; none where it is not wanted or nobody can be reached.
    async fn plan(
        &self,
        txn: &DatabaseTransaction,
        telling: &Telling<'_>,
        channel: Channel,
    ) -> Result<Vec<PlannedDelivery>, NotifyError> {
        let Telling { recipient, new, .. } = telling;
        if !new.goes_by(channel) || !telling.choices.lets(new.kind, channel) {
            return Ok(Vec::new());
        }
        let targets: Vec<Option<DeviceId>> = match channel {
            Channel::InApp => Vec::new(),
            Channel::Push => {
                device::of_user(txn, recipient.user).await?.iter().map(|device| Some(device.id)).collect()
            }
            Channel::Sms => recipient.has_phone.then_some(None).into_iter().collect(),
            Channel::Email => recipient.has_email.then_some(None).into_iter().collect(),
        };
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(key) = telling.collapse_key.as_ref().filter(|_| telling.count > 1) {
            // What has not left yet tells of both; a push message that has left is replaced on the device by its key.
            let waits =
                rows::refresh_queued(txn, recipient.user, key, channel, &telling.params, telling.now).await?;
            // What has left told of the first alone; where no inbox tells of the others, another one does.
            if waits || (channel != Channel::Push && telling.in_inbox) {
                return Ok(Vec::new());
            }
        }
        let withheld = self.withheld(txn, telling, channel).await?;
        let may_go = withheld.is_none();
        let due_at = telling.choices.not_before(new.kind, telling.now);
        let lane = Lane::of(new.kind, channel);
        let mut planned = Vec::new();
        for device in targets {
            let id: DeliveryId = self.ambient.new_id();
            let row = NewDelivery {
                id,
                user: recipient.user,
                kind: new.kind,
                event_key: &new.event_key,
                channel,
                device,
                former: None,
                collapse_key: telling.collapse_key.as_deref(),
                language: recipient.language,
                params: &telling.params,
                action: new.action.as_deref(),
                status: if may_go { DeliveryStatus::Queued } else { DeliveryStatus::Withheld },
                reason: withheld,
                due_at: may_go.then_some(due_at),
                now: telling.now,
            };
            rows::insert(txn, &row).await?;
            planned.extend(may_go.then_some(PlannedDelivery { id, channel, lane, due_at }));
        }
        Ok(planned)
    }

    /// Why messages of the way are not to be sent; one that is to be sent counts towards its day.
    async fn withheld(
        &self,
        txn: &DatabaseTransaction,
        telling: &Telling<'_>,
        channel: Channel,
    ) -> Result<Option<&'static str>, NotifyError> {
        if self.has_no_provider(channel) {
            return Ok(Some(NO_PROVIDER));
        }
        if telling.new.kind.is_critical() {
            return Ok(None);
        }
        let (user, day) = (telling.recipient.user, clock::day(telling.now));
        let is_within = preference::take_in_txn(txn, user, channel, day, self.cap(channel)).await?;
        Ok((!is_within).then_some("daily_cap"))
    }

    /// Whether nobody is there to send messages of the way.
    pub(super) fn has_no_provider(&self, channel: Channel) -> bool {
        channel == Channel::Push && !self.config.can_push
    }

    fn cap(&self, channel: Channel) -> u32 {
        match channel {
            Channel::InApp => u32::MAX,
            Channel::Push => self.config.caps.push,
            Channel::Sms => self.config.caps.sms,
            Channel::Email => self.config.caps.email,
        }
    }

    /// Where an action leads, as an address: the marketplace's pages when there is none.
    pub(super) fn link(&self, action: Option<&str>) -> String {
        let base = self.config.web_url.as_str().trim_end_matches('/');
        format!("{base}{}", action.unwrap_or("/"))
    }
}
