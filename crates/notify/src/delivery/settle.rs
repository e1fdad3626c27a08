//! Writing down what came of sending: once, by the one who sent.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Ambient, TypedId};
use outbound::{BreakerConfig, CallError};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::Engine;

use super::{Claimed, DeliveryStatus, Sending, rows};
use crate::{Channel, Notify, NotifyError, SendError, device};

/// The longest wait for a provider that is left alone: so late do the last ones leave once it is back.
const LONGEST_BUSY_PAUSE: Duration = Duration::from_secs(5 * 60);

/// What becomes of a delivery after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is over.
    Over(DeliveryStatus),
    /// It is to be tried again then; the caller enqueues a job.
    Again(DateTime<Utc>),
}

/// What a try makes of a delivery.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    status: DeliveryStatus,
    reason: Option<&'static str>,
    /// Whether the try counts; one that was not made does not.
    counts: bool,
    /// The least time until the next one.
    wait: Option<Duration>,
}

impl Verdict {
    const fn over(status: DeliveryStatus, reason: Option<&'static str>) -> Self {
        Self { status, reason, counts: true, wait: None }
    }

    const fn again(counts: bool, wait: Option<Duration>) -> Self {
        Self { status: DeliveryStatus::Queued, reason: None, counts, wait }
    }
}

/// Only what certainly did not leave is sent again.
fn judge(sending: &Sending) -> Verdict {
    match sending {
        Sending::Taken(_) => Verdict::over(DeliveryStatus::Sent, None),
        Sending::DeviceGone => Verdict::over(DeliveryStatus::Failed, Some("device_gone")),
        Sending::NoContact => Verdict::over(DeliveryStatus::Failed, Some("no_contact")),
        Sending::Failed(SendError::Refused { .. }) => Verdict::over(DeliveryStatus::Failed, Some("refused")),
        Sending::Failed(SendError::Unknown) => Verdict::over(DeliveryStatus::Unknown, Some("no_answer")),
        Sending::Failed(SendError::Failed { .. }) => {
            Verdict::over(DeliveryStatus::Unknown, Some("provider_failed"))
        }
        Sending::Failed(SendError::Busy) => Verdict::again(false, None),
        Sending::Failed(SendError::NotSent { retry_after, .. }) => Verdict::again(true, *retry_after),
        // Refused before anything left; a person is looking at it.
        Sending::Failed(SendError::Misconfigured { .. } | SendError::Faulty { .. }) => {
            Verdict::again(true, None)
        }
    }
}

impl Notify {
    /// Writes down what came of sending, in the caller's transaction, which also enqueues the next try. A device whose
    /// token is dead is forgotten. Who lost the lease changes nothing, but a late success is still noted.
    ///
    /// # Errors
    /// [`NotifyError::LeaseLost`] when the delivery was not this sender's any more: there is nothing left to do for it.
    pub async fn settle_in_txn(
        &self,
        txn: &DatabaseTransaction,
        claimed: &Claimed,
        sending: &Sending,
    ) -> Result<Settled, NotifyError> {
        let now = self.ambient.now();
        let mut verdict = judge(sending);
        verdict.counts |= claimed.is_old;
        if sending == &Sending::DeviceGone
            && let Some(device) = &claimed.device
        {
            device::remove(txn, device.id).await?;
        }
        if verdict.status == DeliveryStatus::Queued
            && verdict.counts
            && claimed.attempt >= self.config.max_attempts
        {
            verdict = Verdict::over(DeliveryStatus::Dead, Some("attempts_used_up"));
        }
        let due_at = (verdict.status == DeliveryStatus::Queued).then(|| {
            let pause = if verdict.counts {
                self.config.backoff.long_pause(claimed.attempt, &self.ambient)
            } else {
                busy_pause(now - claimed.created_at, &self.ambient)
            };
            let pause = pause.max(verdict.wait.unwrap_or_default());
            now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::days(1))
        });
        if !self.write_verdict(txn, claimed, sending, &verdict, due_at, now).await? {
            return Err(NotifyError::LeaseLost);
        }
        if claimed.former.is_some() {
            rows::forget_former(txn, claimed.id).await?;
        }
        metrics::counter!("notification_deliveries_total", "channel" => claimed.channel.as_str(),
            "outcome" => verdict.status.as_str())
        .increment(1);
        Ok(due_at.map_or(Settled::Over(verdict.status), Settled::Again))
    }

    async fn write_verdict(
        &self,
        txn: &DatabaseTransaction,
        claimed: &Claimed,
        sending: &Sending,
        verdict: &Verdict,
        due_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<bool, NotifyError> {
        let engine = Engine::of(txn.get_database_backend());
        let (id, owner): (Value, Value) = (claimed.id.uuid().into(), claimed.owner.into());
        let provider_id = match sending {
            Sending::Taken(provider_id) => Some(provider_id.chars().take(190).collect::<String>()),
            _ => None,
        };
        let uncounted = i32::from(!verdict.counts);
        let settle = engine.statement(
            "UPDATE notification_deliveries SET status = ?, reason = ?, provider_id = COALESCE(?, provider_id), \
             last_error = ?, attempts = attempts - ?, lease_owner = NULL, due_at = ?, updated_at = ? \
             WHERE id = ? AND status = 'sending' AND lease_owner = ?",
            [
                verdict.status.as_str().into(),
                verdict.reason.into(),
                provider_id.clone().into(),
                error_code(sending).into(),
                uncounted.into(),
                due_at.into(),
                now.into(),
                id.clone(),
                owner,
            ],
        );
        if txn.execute_raw(settle).await?.rows_affected() == 1 {
            return Ok(true);
        }
        let Some(provider_id) = provider_id else {
            return Ok(false);
        };
        // It left after all: nobody was to know, or the provider's own report was quicker than this.
        let note = engine.statement(
            "UPDATE notification_deliveries SET \
             status = CASE WHEN status = 'unknown' THEN 'sent' ELSE status END, \
             reason = CASE WHEN reason = 'interrupted' THEN NULL ELSE reason END, \
             provider_id = COALESCE(provider_id, ?), updated_at = ? \
             WHERE id = ? AND attempts = ? AND status IN ('unknown', 'sent', 'delivered', 'failed') \
             AND (provider_id IS NULL OR provider_id = ?)",
            [
                provider_id.as_str().into(),
                now.into(),
                id,
                i32::try_from(claimed.attempt).unwrap_or(i32::MAX).into(),
                provider_id.as_str().into(),
            ],
        );
        Ok(txn.execute_raw(note).await?.rows_affected() == 1)
    }

    /// How the message can be told from a repetition at the other end, if it can: a mail by its `Message-ID`, which is
    /// the same at every try; an SMS and a push message not at all.
    pub fn can_be_told_apart(channel: Channel) -> bool {
        channel == Channel::Email
    }
}

/// How long a message waits that was not tried because its provider is left alone: at least as long as that lasts, and
/// a quarter of the time that it has waited already, five minutes at most. The upper half is drawn evenly, so that those
/// who wait do not come all at once.
fn busy_pause(waited: TimeDelta, ambient: &Ambient) -> Duration {
    let least = BreakerConfig::default().open_for * 2;
    let bound = (waited.to_std().unwrap_or_default() / 4).clamp(least, LONGEST_BUSY_PAUSE);
    // In whole milliseconds, as every engine keeps them.
    let half = u64::try_from(bound.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half + ambient.random_below(half))
}

/// A failure as the log names it: `not_sent:20429`.
fn error_code(sending: &Sending) -> Option<String> {
    let Sending::Failed(error) = sending else {
        return None;
    };
    let code = match error {
        SendError::Refused { code }
        | SendError::Misconfigured { code }
        | SendError::Faulty { code }
        | SendError::Failed { code } => Some(*code),
        SendError::NotSent { code, .. } => *code,
        SendError::Unknown | SendError::Busy => None,
    };
    let name = CallError::name(error);
    Some(code.map_or_else(|| name.to_owned(), |code| format!("{name}:{code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_is_left_alone_is_asked_for_less_often_the_longer_that_lasts() {
        let ambient = Ambient::system();
        for (waited, from, to) in [(0, 10, 20), (40, 10, 20), (240, 30, 60), (86_400, 150, 300)] {
            for _ in 0..50 {
                let pause = busy_pause(TimeDelta::seconds(waited), &ambient);
                assert!(
                    pause >= Duration::from_secs(from) && pause <= Duration::from_secs(to),
                    "{waited}: {pause:?}"
                );
            }
        }
    }

    #[test]
    fn only_what_certainly_did_not_leave_is_sent_again() {
        let not_sent = SendError::NotSent { code: Some(20429), retry_after: Some(Duration::from_secs(9)) };
        for (error, status) in [
            (SendError::Refused { code: 21610 }, DeliveryStatus::Failed),
            (SendError::Unknown, DeliveryStatus::Unknown),
            (SendError::Failed { code: 20503 }, DeliveryStatus::Unknown),
            (SendError::Busy, DeliveryStatus::Queued),
            (SendError::Misconfigured { code: 20003 }, DeliveryStatus::Queued),
            (SendError::Faulty { code: 21901 }, DeliveryStatus::Queued),
            (not_sent, DeliveryStatus::Queued),
        ] {
            let verdict = judge(&Sending::Failed(error));
            assert_eq!(verdict.status, status, "{error}");
            let is_again = verdict.status == DeliveryStatus::Queued;
            let is_ours = matches!(error, SendError::Misconfigured { .. } | SendError::Faulty { .. });
            assert!(!is_again || error.is_safe_to_repeat() || is_ours);
        }
        assert_eq!(judge(&Sending::Failed(not_sent)).wait, Some(Duration::from_secs(9)));
        assert!(!judge(&Sending::Failed(SendError::Busy)).counts);
    }

    #[test]
    fn a_failure_is_named_by_its_code() {
        let name = |error| error_code(&Sending::Failed(error));
        assert_eq!(name(SendError::Refused { code: 21610 }).as_deref(), Some("refused:21610"));
        assert_eq!(name(SendError::Unknown).as_deref(), Some("unknown"));
        assert_eq!(error_code(&Sending::NoContact), None);
    }
}
