//! What the provider reports later of an SMS (twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks).
//! Reports come in any order and more than once, so only what is further along counts.

use std::str::FromStr;

use kernel::{DeliveryId, ParseError, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use store::Engine;

use super::DeliveryStatus;
use crate::{Notify, NotifyError};

/// Twilio's `MessageStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsStatus {
    /// A Messaging Service has it, or it waits for its hour: `accepted`, `scheduled`.
    Accepted,
    /// It waits in Twilio's queue.
    Queued,
    /// It is being handed to the operator.
    Sending,
    /// The operator has it.
    Sent,
    /// The operator says that it did not arrive.
    Undelivered,
    /// It could not be handed to the operator, or was cancelled: `failed`, `canceled`.
    Failed,
    /// The phone has it.
    Delivered,
    /// It was read, where that can be known.
    Read,
}

impl FromStr for SmsStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "accepted" | "scheduled" => Ok(Self::Accepted),
            "queued" => Ok(Self::Queued),
            "sending" => Ok(Self::Sending),
            "sent" => Ok(Self::Sent),
            "undelivered" => Ok(Self::Undelivered),
            "failed" | "canceled" => Ok(Self::Failed),
            "delivered" | "partially_delivered" => Ok(Self::Delivered),
            "read" => Ok(Self::Read),
            _ => Err(ParseError::new("unknown_status", "is no status of a message")),
        }
    }
}

impl SmsStatus {
    /// How far along it is.
    fn rank(self) -> i32 {
        match self {
            Self::Accepted | Self::Queued => 1,
            Self::Sending => 2,
            Self::Sent => 3,
            Self::Undelivered | Self::Failed => 4,
            // An operator that first said no and then yes was wrong the first time.
            Self::Delivered => 5,
            Self::Read => 6,
        }
    }

    fn outcome(self) -> DeliveryStatus {
        match self {
            Self::Accepted | Self::Queued | Self::Sending | Self::Sent => DeliveryStatus::Sent,
            Self::Undelivered | Self::Failed => DeliveryStatus::Failed,
            Self::Delivered | Self::Read => DeliveryStatus::Delivered,
        }
    }
}

impl Notify {
    /// Applies a report of Twilio's to the delivery that its callback names; tells whether it changed anything. A
    /// message of which nobody knew whether it left is known from then on.
    ///
    /// The caller has [verified](crate::verify_twilio_signature) the report, which also proves that the delivery's id is ours.
    ///
    /// # Errors
    /// [`NotifyError::DeliveryNotFound`] when there is no such SMS, or it is another message's.
    pub async fn apply_sms_status(
        &self,
        delivery: DeliveryId,
        message_sid: &str,
        status: SmsStatus,
        error: Option<u32>,
    ) -> Result<bool, NotifyError> {
        self.db.in_txn(async |txn| self.apply_in_txn(txn, delivery, message_sid, status, error).await).await
    }

    async fn apply_in_txn(
        &self,
        txn: &DatabaseTransaction,
        delivery: DeliveryId,
        message_sid: &str,
        status: SmsStatus,
        error: Option<u32>,
    ) -> Result<bool, NotifyError> {
        let engine = Engine::of(txn.get_database_backend());
        let outcome = status.outcome();
        let reason = (outcome == DeliveryStatus::Failed).then_some("undelivered");
        let apply = engine.statement(
            "UPDATE notification_deliveries SET status = ?, reason = ?, last_error = ?, provider_rank = ?, \
             provider_id = ?, lease_owner = NULL, due_at = NULL, updated_at = ? \
             WHERE id = ? AND channel = 'sms' AND provider_rank < ? \
             AND status IN ('sending', 'sent', 'failed', 'delivered', 'unknown') \
             AND (provider_id IS NULL OR provider_id = ?)",
            [
                outcome.as_str().into(),
                reason.into(),
                error.map(|code| format!("twilio:{code}")).into(),
                status.rank().into(),
                message_sid.into(),
                self.ambient.now().into(),
                delivery.uuid().into(),
                status.rank().into(),
                message_sid.into(),
            ],
        );
        if txn.execute_raw(apply).await?.rows_affected() == 1 {
            return Ok(true);
        }
        let known = engine.statement(
            "SELECT id FROM notification_deliveries WHERE id = ? AND channel = 'sms' \
             AND (provider_id IS NULL OR provider_id = ?)",
            [delivery.uuid().into(), message_sid.into()],
        );
        match txn.query_one_raw(known).await? {
            Some(_) => Ok(false),
            None => Err(NotifyError::DeliveryNotFound),
        }
    }
}
