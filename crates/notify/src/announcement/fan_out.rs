//! Telling an audience: by one process at a time, in batches, each of which commits together with how far it came.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AnnouncementId, NotificationId, TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use store::Engine;
use uuid::Uuid;

use super::{AnnouncementEvent, AnnouncementStatus, AnnouncementView, Audience, rows};
use crate::{Channel, Kind, NewNotification, Notify, NotifyError, PlannedDelivery, Recipient};

/// How long a process may take for one batch before another one goes on in its place.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// The right to tell an audience.
#[derive(Debug, Clone)]
pub struct FanOut {
    /// The announcement.
    pub id: AnnouncementId,
    /// Whom it is for.
    pub audience: Audience,
    /// Up to whom people were told: go on with those whose ids are greater.
    pub position: Option<UserId>,
    owner: Uuid,
    view: AnnouncementView,
}

/// What one batch did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advanced {
    /// Who was told just now, and not before, by any way.
    pub told: Vec<Reached>,
    /// The messages to be sent, for each of which the caller enqueues a job.
    pub deliveries: Vec<PlannedDelivery>,
}

/// Somebody whom an announcement reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Who.
    pub user: UserId,
    /// What stands in their inbox of it, unless it came by other ways alone.
    pub notification: Option<NotificationId>,
}

impl Notify {
    /// Announcements whose hour has come, or whose fan-out stopped half-way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_announcements(&self, limit: u32) -> Result<Vec<AnnouncementId>, NotifyError> {
        let now = self.ambient.now();
        let sql = format!(
            "SELECT id FROM announcements WHERE (expires_at IS NULL OR expires_at > ?) AND \
             ((status = 'scheduled' AND (starts_at IS NULL OR starts_at <= ?)) \
             OR (status = 'sending' AND (fan_out_until IS NULL OR fan_out_until <= ?))) ORDER BY id LIMIT {limit}"
        );
        let select = self.db.engine().statement(&sql, [now.into(), now.into(), now.into()]);
        let rows = self.db.reader()?.query_all_raw(select).await?;
        rows.iter().map(|row| Ok(row.try_get::<Uuid>("", "id")?.into())).collect()
    }

    /// Begins a fan-out whose hour has come, or goes on with one that stopped half-way; `None` when there is nothing to
    /// do or another process does it.
    ///
    /// # Errors
    /// [`NotifyError::AnnouncementNotFound`], or when the database fails.
    pub async fn begin_fan_out(&self, id: AnnouncementId) -> Result<Option<FanOut>, NotifyError> {
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let view = rows::lock(txn, id).await?.ok_or(NotifyError::AnnouncementNotFound)?;
                let input = view.fields.input();
                let has_begun = input.starts_at.is_none_or(|starts| starts <= now);
                let is_over = input.expires_at.is_some_and(|expires| expires <= now);
                if view.status.after(AnnouncementEvent::Begin).is_none() || !has_begun || is_over {
                    return Ok(None);
                }
                let owner = self.ambient.new_uuid();
                let take = Engine::of(txn.get_database_backend()).statement(
                    "UPDATE announcements SET status = 'sending', fan_out_owner = ?, fan_out_until = ?, updated_at = ? \
                     WHERE id = ? AND (fan_out_until IS NULL OR fan_out_until <= ?)",
                    [owner.into(), (now + LEASE).into(), now.into(), id.uuid().into(), now.into()],
                );
                if txn.execute_raw(take).await?.rows_affected() != 1 {
                    return Ok(None);
                }
                let (audience, position) = (input.audience.clone(), view.position);
                Ok(Some(FanOut { id, audience, position, owner, view }))
            })
            .await
    }

    /// Tells a batch of people, in the order of their ids and all greater than the position, in the caller's
    /// transaction; the position moves on with it.
    ///
    /// # Errors
    /// [`NotifyError::LeaseLost`] when another process goes on or the announcement was stopped: then nobody is told.
    pub async fn advance_fan_out_in_txn(
        &self,
        txn: &DatabaseTransaction,
        fan_out: &FanOut,
        batch: &[Recipient],
    ) -> Result<Advanced, NotifyError> {
        let Some(last) = batch.last() else {
            return Ok(Advanced::default());
        };
        let people = || fan_out.position.into_iter().chain(batch.iter().map(|recipient| recipient.user));
        if people().zip(people().skip(1)).any(|(one, next)| one >= next) {
            return Err(NotifyError::conflict(
                "batch_out_of_order",
                "a batch goes on in the order of the ids",
            ));
        }
        self.hold(txn, fan_out, last.user).await?;
        let mut advanced = Advanced::default();
        let news: Vec<_> = batch.iter().map(|recipient| fan_out.notification(recipient)).collect();
        let each: Vec<_> = batch.iter().zip(&news).collect();
        let all = self.notify_all_in_txn(txn, &each).await?;
        for (recipient, told) in batch.iter().zip(all) {
            // Who wants no such news by any way was not reached.
            if told.notification.is_some() || !told.deliveries.is_empty() {
                advanced.told.push(Reached { user: recipient.user, notification: told.notification });
            }
            advanced.deliveries.extend(told.deliveries);
        }
        let count = i64::try_from(advanced.told.len()).unwrap_or_default();
        let reach = Engine::of(txn.get_database_backend()).statement(
            "UPDATE announcements SET reached = reached + ? WHERE id = ?",
            [count.into(), fan_out.id.uuid().into()],
        );
        txn.execute_raw(reach).await?;
        Ok(advanced)
    }

    /// Ends a fan-out that has told everybody, in the caller's transaction.
    ///
    /// # Errors
    /// [`NotifyError::LeaseLost`] when another process goes on or the announcement was stopped.
    pub async fn finish_fan_out_in_txn(
        &self,
        txn: &DatabaseTransaction,
        fan_out: &FanOut,
    ) -> Result<(), NotifyError> {
        let finish = Engine::of(txn.get_database_backend()).statement(
            "UPDATE announcements SET status = ?, fan_out_owner = NULL, fan_out_until = NULL, updated_at = ? \
             WHERE id = ? AND status = 'sending' AND fan_out_owner = ?",
            [
                AnnouncementStatus::Sent.as_str().into(),
                self.ambient.now().into(),
                fan_out.id.uuid().into(),
                fan_out.owner.into(),
            ],
        );
        match txn.execute_raw(finish).await?.rows_affected() {
            1 => Ok(()),
            _ => Err(NotifyError::LeaseLost),
        }
    }

    /// Ends announcements whose time is over; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_announcements(&self) -> Result<u64, NotifyError> {
        let now = self.ambient.now();
        let sql = "UPDATE announcements SET status = 'expired', fan_out_owner = NULL, fan_out_until = NULL, \
                   updated_at = ? WHERE status IN ('scheduled', 'sending', 'sent') AND expires_at <= ?";
        Ok(self.write_one(sql, vec![now.into(), now.into()]).await?)
    }

    /// Moves the position on and prolongs the lease. Its row is locked from here on, so that a stop waits for the batch
    /// or comes before it.
    async fn hold(&self, txn: &DatabaseTransaction, fan_out: &FanOut, to: UserId) -> Result<(), NotifyError> {
        let now = self.ambient.now();
        let hold = Engine::of(txn.get_database_backend()).statement(
            "UPDATE announcements SET position_id = ?, fan_out_until = ?, updated_at = ? \
             WHERE id = ? AND status = 'sending' AND fan_out_owner = ? AND (position_id IS NULL OR position_id < ?)",
            [
                to.uuid().into(),
                (now + LEASE).into(),
                now.into(),
                fan_out.id.uuid().into(),
                fan_out.owner.into(),
                to.uuid().into(),
            ],
        );
        match txn.execute_raw(hold).await?.rows_affected() {
            1 => Ok(()),
            _ => Err(NotifyError::LeaseLost),
        }
    }
}

impl FanOut {
    /// The same fan-out after a batch that committed.
    pub fn moved_to(mut self, position: UserId) -> Self {
        self.position = Some(position);
        self
    }

    fn notification(&self, recipient: &Recipient) -> NewNotification {
        let input = self.view.fields.input();
        let (title, body) = self.view.fields.words(recipient.language);
        let ways = [(Channel::InApp, input.in_app), (Channel::Push, input.push)];
        NewNotification {
            kind: Kind::Announcement,
            event_key: event_key(self.id),
            params: json!({"headline": title, "text": body}),
            action: input.action.clone(),
            only: Some(ways.into_iter().filter(|(_, wanted)| *wanted).map(|(way, _)| way).collect()),
        }
    }
}

const EVENT: &str = "announcement:";

/// Under which key an announcement is told.
fn event_key(id: AnnouncementId) -> String {
    format!("{EVENT}{id}")
}

/// Whether the announcement that was told under the key may still be pushed: it was not stopped, and is not over.
pub(crate) async fn is_on(
    txn: &DatabaseTransaction,
    event_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, NotifyError> {
    let Some(id) = event_key.strip_prefix(EVENT).and_then(|id| id.parse::<AnnouncementId>().ok()) else {
        return Ok(false);
    };
    let sql = "SELECT id FROM announcements WHERE id = ? AND status IN ('sending', 'sent') \
               AND (expires_at IS NULL OR expires_at > ?)";
    let select = Engine::of(txn.get_database_backend()).statement(sql, [id.uuid().into(), now.into()]);
    Ok(txn.query_one_raw(select).await?.is_some())
}
