//! What moves a refund, how much refunds take of their payment, and when one is looked after.

use chrono::TimeDelta;

use super::{RefundState, RefundStatus};

impl RefundStatus {
    /// Whether nothing moves it any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Processed | Self::Failed)
    }

    /// Whether it may be sent: the provider is not known to have it.
    pub fn may_be_sent(self) -> bool {
        matches!(self, Self::Requested | Self::Submitting | Self::Unknown)
    }

    /// What it becomes when the provider is seen to have it in this state. The first end stays: the provider documents
    /// no way back from either.
    pub(crate) fn seen(self, state: RefundState) -> Self {
        match state {
            _ if self.is_final() => self,
            RefundState::Pending => Self::Pending,
            RefundState::Processed => Self::Processed,
            RefundState::Failed => Self::Failed,
        }
    }

    /// Whether the provider now tells of the other end.
    pub(crate) fn is_contradicted_by(self, state: RefundState) -> bool {
        matches!(
            (self, state),
            (Self::Processed, RefundState::Failed) | (Self::Failed, RefundState::Processed)
        )
    }
}

/// How much of a payment its refunds take, and how much of that is done; neither passes the payment, though a refund of
/// ours and one in the dashboard may want the same money, of which the provider grants one.
pub(crate) fn totals(amount: i64, refunds: impl IntoIterator<Item = (RefundStatus, i64)>) -> (i64, i64) {
    let (reserved, done) =
        refunds.into_iter().fold((0_i64, 0_i64), |(reserved, done), (status, part)| match status {
            RefundStatus::Failed => (reserved, done),
            RefundStatus::Processed => (reserved.saturating_add(part), done.saturating_add(part)),
            _ => (reserved.saturating_add(part), done),
        });
    (reserved.min(amount), done.min(amount))
}

/// The pause before the next look, once so many were taken: ten minutes, then hourly for a day, then daily.
pub(crate) fn pause(looks: i32) -> TimeDelta {
    match looks {
        ..=0 => TimeDelta::minutes(10),
        1..=24 => TimeDelta::hours(1),
        _ => TimeDelta::days(1),
    }
}

#[cfg(test)]
mod tests;
