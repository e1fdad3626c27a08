//! Taking a delivery to send it: one sender at a time, and never again what another sender may have sent.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{DeliveryId, DeviceId, SessionId, UserId};
use sea_orm::DatabaseTransaction;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{DeliveryStatus, rows};
use crate::preference;
use crate::template::{self, TemplateKey, Words};
use crate::{Channel, Kind, Notify, NotifyError, PushTarget, Rendered, device};

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
    /// The login through which the device is used that a push message is for: nothing is pushed to a device that was
    /// logged out.
    pub fn session(&self) -> Option<SessionId> {
        self.device.as_ref().map(|device| device.session)
    }
}

impl Notify {
    /// Takes a delivery to send it. Whoever gets [`Claim::Send`] is alone with it for the configured lease; when they
    /// do not settle it within that time, it counts as [`DeliveryStatus::Unknown`].
    ///
    /// # Errors
    /// [`NotifyError::DeliveryNotFound`], or when the database fails.
    pub async fn claim_delivery(&self, id: DeliveryId) -> Result<Claim, NotifyError> {
        self.db.in_txn(async |txn| self.claim_in_txn(txn, id).await).await
    }

    async fn claim_in_txn(&self, txn: &DatabaseTransaction, id: DeliveryId) -> Result<Claim, NotifyError> {
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
        // Somebody may have chosen otherwise since it was planned.
        let choices = preference::load(txn, row.user).await?;
        if !choices.lets(kind, row.channel) {
            return over(DeliveryStatus::Withheld, "preference").await;
        }
        let quiet_until = choices.not_before(kind, now);
        if quiet_until > now {
            rows::put_off(txn, id, quiet_until, now).await?;
            return Ok(Claim::NotYet(quiet_until));
        }
        let device = match row.device {
            None => None,
            Some(device) => match self.device(txn, device, row.user).await {
                Ok(Some(device)) => Some(device),
                Ok(None) => return over(DeliveryStatus::Failed, "device_gone").await,
                Err(error @ NotifyError::Sealing(_)) => {
                    tracing::error!(delivery = %id, %error, "a device's token cannot be opened");
                    return over(DeliveryStatus::Dead, "sealed_otherwise").await;
                }
                Err(error) => return Err(error),
            },
        };
        let claimed = match self.prepare(txn, row, kind, device).await {
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
        device: Option<Device>,
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
            collapse_key: row.collapse_key,
            action: row.action,
            unsubscribe,
        })
    }
}
