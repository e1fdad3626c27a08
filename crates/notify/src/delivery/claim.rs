//! Taking a delivery to send it: one sender at a time, and never again what another sender may have sent.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{DeliveryId, DeviceId, SessionId, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use uuid::Uuid;

use super::plan::NO_PROVIDER;
use super::{Contact, DeliveryStatus, rows};
use crate::template::{self, TemplateKey, Words};
use crate::{Channel, Kind, Notify, NotifyError, PushTarget, Rendered, device};
use crate::{announcement, preference};

/// For how long tries that an open breaker prevented do not count: after that they do, so that every delivery ends.
const PATIENCE: TimeDelta = TimeDelta::days(3);

/// What came of asking for a delivery.
#[derive(Debug)]
pub enum Claim {
    /// It is to be sent now, by the caller alone.
    Send(Box<Claimed>),
    /// Not yet: it waits, or another sender has it. Ask again then.
    NotYet(DateTime<Utc>),
    /// There is nothing to send any more.
    Over(DeliveryStatus),
}

/// A delivery that the caller is to send and then to [settle](Notify::settle_in_txn).
#[derive(Debug)]
pub struct Claimed {
    /// Its id.
    pub id: DeliveryId,
    /// Whose contact to look up.
    pub user: UserId,
    /// What it is about.
    pub kind: Kind,
    /// By which way.
    pub channel: Channel,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// What it says.
    pub text: Rendered,
    pub(super) owner: Uuid,
    /// When it was planned.
    pub(super) created_at: DateTime<Utc>,
    /// Whether it waits for longer than patience lasts.
    pub(super) is_old: bool,
    pub(super) device: Option<Device>,
    /// Where to, when it is not where the person is reached now.
    pub(super) former: Option<Contact>,
    pub(super) collapse_key: Option<String>,
    pub(super) action: Option<String>,
    pub(super) unsubscribe: Option<url::Url>,
}

/// The device that a push message is for.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) id: DeviceId,
    pub(super) target: PushTarget,
    session: SessionId,
}

impl Claimed {
    /// The contact that it goes to instead of the person's own: one that they have left.
    pub fn former_contact(&self) -> Option<&Contact> {
        self.former.as_ref()
    }

    /// The login through which the device is used that a push message is for: nothing is pushed to a device that was
    /// logged out.
    pub fn session(&self) -> Option<SessionId> {
        self.device.as_ref().map(|device| device.session)
    }
}

/// Why a delivery is not sent now.
enum Obstacle {
    /// There is nothing to send any more.
    Over(DeliveryStatus, &'static str),
    /// Its time has not come.
    Until(DateTime<Utc>),
}

/// Where it goes, as far as that is not the person's own contact.
type Place = (Option<Device>, Option<Contact>);

impl Notify {
    /// Takes a delivery to send it, in the caller's transaction. Whoever gets [`Claim::Send`] and commits is alone with
    /// it for the configured lease; when they do not settle it within that time, it counts as
    /// [`DeliveryStatus::Unknown`]. So the caller looks up in this transaction what else it needs: when that fails,
    /// nothing was taken.
    ///
    /// # Errors
    /// [`NotifyError::DeliveryNotFound`], or when the database fails.
    pub async fn claim_delivery_in_txn(
        &self,
        txn: &DatabaseTransaction,
        id: DeliveryId,
    ) -> Result<Claim, NotifyError> {
        let now = self.ambient.now();
        let row = rows::lock(txn, id).await?.ok_or(NotifyError::DeliveryNotFound)?;
        let over = async |status, reason| -> Result<Claim, NotifyError> {
            rows::end(txn, id, status, reason, now).await?;
            Ok(Claim::Over(status))
        };
        match (row.status, row.due_at) {
            (DeliveryStatus::Queued | DeliveryStatus::Sending, Some(due)) if due > now => {
                return Ok(Claim::NotYet(due));
            }
            // Whoever sent it did not come back: it may have left.
            (DeliveryStatus::Sending, _) => return over(DeliveryStatus::Unknown, "interrupted").await,
            (DeliveryStatus::Queued, _) => {}
            (status, _) => return Ok(Claim::Over(status)),
        }
        let Some(kind) = row.kind else {
            return over(DeliveryStatus::Withheld, "kind_gone").await;
        };
        match self.obstacle(txn, &row, kind, now).await? {
            Some(Obstacle::Over(status, reason)) => return over(status, reason).await,
            Some(Obstacle::Until(at)) => {
                rows::put_off(txn, id, at, now).await?;
                return Ok(Claim::NotYet(at));
            }
            None => {}
        }
        let place = match self.place(txn, &row).await {
            Ok(Some(place)) => place,
            Ok(None) => return over(DeliveryStatus::Failed, "device_gone").await,
            Err(error @ NotifyError::Sealing(_)) => {
                tracing::error!(delivery = %id, %error, "a delivery's token or contact cannot be opened");
                return over(DeliveryStatus::Dead, "sealed_otherwise").await;
            }
            Err(error) => return Err(error),
        };
        let claimed = match self.prepare(txn, row, kind, place).await {
            // It would fail at every claim; staff can revive it once the cause is mended.
            Err(error @ NotifyError::Render(_)) => {
                tracing::error!(delivery = %id, %error, "a message cannot be written");
                return over(DeliveryStatus::Dead, "render_failed").await;
            }
            prepared => prepared?,
        };
        if !rows::take(txn, id, claimed.owner, now + self.config.lease, now).await? {
            return Err(NotifyError::LeaseLost);
        }
        Ok(Claim::Send(Box::new(claimed)))
    }

    /// What stands against it now and did not when it was planned.
    async fn obstacle(
        &self,
        txn: &DatabaseTransaction,
        row: &rows::Row,
        kind: Kind,
        now: DateTime<Utc>,
    ) -> Result<Option<Obstacle>, NotifyError> {
        if self.has_no_provider(row.channel) {
            return Ok(Some(Obstacle::Over(DeliveryStatus::Withheld, NO_PROVIDER)));
        }
        let choices = preference::load(txn, row.user).await?;
        if !choices.lets(kind, row.channel) {
            return Ok(Some(Obstacle::Over(DeliveryStatus::Withheld, "preference")));
        }
        if kind == Kind::Announcement && !announcement::is_on(txn, &row.event_key, now).await? {
            return Ok(Some(Obstacle::Over(DeliveryStatus::Withheld, "announcement_over")));
        }
        let quiet_until = choices.not_before(kind, now);
        Ok((quiet_until > now).then_some(Obstacle::Until(quiet_until)))
    }

    /// Where it goes; `None` when its device is gone.
    async fn place(&self, txn: &DatabaseTransaction, row: &rows::Row) -> Result<Option<Place>, NotifyError> {
        let former = row.former.as_ref().map(|sealed| self.open_former(row.id, sealed)).transpose()?;
        match row.device {
            None => Ok(Some((None, former))),
            Some(id) => Ok(self.device(txn, id, row.user).await?.map(|device| (Some(device), former))),
        }
    }

    async fn device(
        &self,
        txn: &DatabaseTransaction,
        id: DeviceId,
        user: UserId,
    ) -> Result<Option<Device>, NotifyError> {
        let Some(found) = device::find(txn, id, user).await? else {
            return Ok(None);
        };
        let value = self.config.sealing.open_text(&device::place(id), &found.token)?;
        Ok(Some(Device { id, target: PushTarget { kind: found.kind, value }, session: found.session }))
    }

    async fn prepare(
        &self,
        txn: &DatabaseTransaction,
        row: rows::Row,
        kind: Kind,
        (device, former): Place,
    ) -> Result<Claimed, NotifyError> {
        let key = TemplateKey { kind, channel: row.channel, language: row.language };
        let overrides = template::overrides(txn, kind, row.language).await?;
        let own = overrides.iter().find(|(channel, _)| *channel == row.channel).map(|(_, parts)| parts);
        let can_unsubscribe = row.channel == Channel::Email && !kind.is_critical();
        let unsubscribe = can_unsubscribe.then(|| self.unsubscribe_link(row.user, kind.category()));
        let link = self.link(row.action.as_deref());
        let words = Words {
            brand: &self.config.brand,
            link: &link,
            unsubscribe: unsubscribe.as_ref().map_or("", url::Url::as_str),
            count: row.params.get("count").and_then(Json::as_i64).unwrap_or(1),
        };
        let text = template::render(&self.engine, key, own, &row.params, words)?;
        Ok(Claimed {
            id: row.id,
            user: row.user,
            kind,
            channel: row.channel,
            attempt: u32::try_from(row.attempts).unwrap_or_default() + 1,
            text,
            owner: self.ambient.new_uuid(),
            created_at: row.created_at,
            is_old: row.created_at + PATIENCE < self.ambient.now(),
            device,
            former,
            collapse_key: row.collapse_key,
            action: row.action,
            unsubscribe,
        })
    }
}
