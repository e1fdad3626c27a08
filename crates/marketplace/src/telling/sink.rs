//! The relay's sink: what follows from events, written in the transaction that marks them as relayed.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::UserId;
use notify::{Language, NewNotification, NotifyError, Recipient};
use sea_orm::DatabaseTransaction;
use store::{NewEntry, OutboxEvent, Sink, SinkError, StreamEntry, TxnError, append_to_streams_in_txn};
use uuid::Uuid;

use super::audience;
use super::notices::{Notice, notices};
use super::outside::outside;
use crate::jobs::{deliver_in_txn, send_hook_in_txn};
use crate::{FlowError, Marketplace};

/// Hears what streams were told, once it is committed: sockets of this process, and of others through the backplane.
pub type Listener = Arc<dyn Fn(Vec<StreamEntry>) + Send + Sync>;

/// Writes what follows from events: what streams are told, notifications, webhooks. Passes on what streams were told.
#[derive(Clone)]
pub struct Telling {
    market: Marketplace,
    listener: Option<Listener>,
}

impl Telling {
    /// Passes on to the listener. Without one it only writes: a process without sockets and without a backplane leaves
    /// it to the others to find what is new.
    pub fn new(market: &Marketplace, listener: Option<Listener>) -> Self {
        Self { market: market.clone(), listener }
    }

    async fn write(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<Vec<StreamEntry>, FlowError> {
        let mut entries: Vec<NewEntry> = events.iter().flat_map(audience::entries).collect();
        let mut news: Vec<(Notice, &OutboxEvent)> =
            events.iter().filter_map(|event| Some((notices(event)?, event))).collect();
        // In the order of people's ids, as everybody locks them; one person's in the order in which it happened.
        news.sort_by_key(|(notice, event)| (notice.user, event.position));
        self.forget_devices(txn, events).await?;
        entries.extend(self.notify(txn, news).await?);
        self.plan_hooks(txn, events).await?;
        Ok(append_to_streams_in_txn(txn, entries).await?)
    }

    /// Forgets the devices of logins that have ended.
    async fn forget_devices(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<(), FlowError> {
        for event in events.iter().filter(|event| event.kind == "session.revoked") {
            let session = event.payload.get("sessionId").and_then(|id| Uuid::parse_str(id.as_str()?).ok());
            if let Some(session) = session {
                self.market.notify.delete_devices_of_session_in_txn(txn, session.into()).await?;
            }
        }
        Ok(())
    }

    /// Writes notifications with the messages that follow, and gives what sockets are told of them.
    async fn notify(
        &self,
        txn: &DatabaseTransaction,
        news: Vec<(Notice, &OutboxEvent)>,
    ) -> Result<Vec<NewEntry>, FlowError> {
        let users: Vec<UserId> = news.iter().map(|(notice, _)| notice.user).collect();
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let reach = self.market.identity.reach(txn, &users).await?;
        // Who has left hears nothing more.
        let told: Vec<(Recipient, NewNotification, &OutboxEvent)> = news
            .into_iter()
            .filter_map(|(notice, event)| {
                let at = reach.binary_search_by_key(&notice.user, |one| one.user).ok()?;
                let recipient = recipient(reach.get(at)?);
                Some((recipient, notice.told(recipient.language), event))
            })
            .collect();
        let each: Vec<_> = told.iter().map(|(recipient, new, _)| (recipient, new)).collect();
        let all = self.market.notify.notify_all_in_txn(txn, &each).await?;
        let mut entries = Vec::new();
        for ((recipient, new, event), came) in told.iter().zip(all) {
            deliver_in_txn(txn, &self.market, &came.deliveries).await?;
            if let Some(notification) = came.notification {
                let stands = (notification, new.kind);
                entries.push(audience::notification_new(event, recipient.user, stands, came.merged));
            }
        }
        Ok(entries)
    }

    async fn plan_hooks(&self, txn: &DatabaseTransaction, events: &[OutboxEvent]) -> Result<(), FlowError> {
        if !self.market.notify.has_hooks_in_txn(txn).await? {
            return Ok(());
        }
        for hook in events.iter().filter_map(outside) {
            let planned = self.market.notify.plan_hooks_in_txn(txn, &hook).await?;
            send_hook_in_txn(txn, &self.market, &planned).await?;
        }
        Ok(())
    }
}

/// Whom to tell, as notify knows them.
pub(crate) fn recipient(reach: &identity::Reach) -> Recipient {
    Recipient {
        user: reach.user,
        language: Language::of_tag(&reach.language),
        has_phone: reach.has_phone,
        has_email: reach.has_email,
    }
}

#[async_trait]
impl Sink for Telling {
    async fn write_in_txn(
        &self,
        txn: &DatabaseTransaction,
        events: &[OutboxEvent],
    ) -> Result<Vec<StreamEntry>, SinkError> {
        for event in events {
            tracing::debug!(event.id = %event.id, event.kind = %event.kind, event.subject = %event.subject, "happened");
        }
        self.write(txn, events).await.map_err(refused)
    }

    fn tell(&self, entries: Vec<StreamEntry>) {
        if let Some(listener) = &self.listener {
            listener(entries);
        }
    }
}

/// A failure of the database is tried again as such; any other is the event's.
fn refused(error: FlowError) -> SinkError {
    match error {
        FlowError::Store(error) | FlowError::Notify(NotifyError::Store(error)) => SinkError::Store(error),
        FlowError::Identity(identity::IdentityError::Store(error)) => SinkError::Store(error),
        other if other.as_store().is_some() => SinkError::Refused("the database failed".to_owned()),
        other => SinkError::Refused(other.to_string()),
    }
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telling")
    }
}
