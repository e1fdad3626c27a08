//! The life of a listing: which state follows from which, by whose action. Pure; every use case asks here.

use chrono::{DateTime, TimeDelta, Utc};

use super::ListingStatus;

#[cfg(test)]
mod tests;

/// How long before its end a listing can be renewed.
pub const RENEWAL_WINDOW: TimeDelta = TimeDelta::days(3);
/// How often a listing is renewed by itself before its seller has to show that it is still for sale.
pub const MAX_AUTO_RENEWALS: i32 = 3;

/// In what capacity somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The seller.
    Owner,
    /// A moderator, on somebody else's listing.
    Reviewer,
    /// The marketplace itself.
    System,
}

/// What is done to a listing, with the facts that decide about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Hand it in.
    Submit {
        /// Whether its category needs no review.
        auto_approve: bool,
    },
    /// Let it be seen.
    Approve,
    /// Refuse it.
    Reject,
    /// Change it.
    Edit {
        /// Whether what was reviewed changes: title, description, category, attributes or photos.
        material: bool,
        /// Whether its category needs no review.
        auto_approve: bool,
    },
    /// Take it off for a while.
    Pause,
    /// Put it back.
    Resume {
        /// Whether its time ran out meanwhile.
        overdue: bool,
    },
    /// Say that it is sold.
    MarkSold,
    /// Let it run for another term.
    Renew {
        /// Whether it ends within [`RENEWAL_WINDOW`].
        due_soon: bool,
    },
    /// End it because its time ran out.
    Expire,
    /// Delete it.
    Delete,
}

/// Why an action is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code.
    pub code: &'static str,
    /// What would be right.
    pub message: &'static str,
}

const fn refuse(code: &'static str, message: &'static str) -> Result<ListingStatus, Refusal> {
    Err(Refusal { code, message })
}

/// The state that follows.
///
/// # Errors
/// When the action is not open to the one who acts, or not in this state.
pub fn next(status: ListingStatus, action: Action, who: Who) -> Result<ListingStatus, Refusal> {
    use ListingStatus::{Active, Deleted, Draft, Expired, Paused, Pending, Rejected, Sold};
    if !is_open_to(action, who) {
        return refuse("not_allowed", "this is for somebody else to do");
    }
    let reviewed = |auto_approve: bool| if auto_approve { Active } else { Pending };
    match (action, status) {
        (_, Deleted) => refuse("listing_deleted", "the listing is deleted"),
        (Action::Submit { auto_approve }, Draft | Rejected) => Ok(reviewed(auto_approve)),
        (Action::Submit { .. }, _) => {
            refuse("listing_not_submittable", "only a DRAFT or REJECTED listing can be submitted")
        }
        (Action::Approve, Pending) => Ok(Active),
        (Action::Reject, Pending) => Ok(Rejected),
        (Action::Approve | Action::Reject, _) => {
            refuse("listing_not_pending", "only a PENDING listing can be reviewed")
        }
        (Action::Edit { .. }, Sold) => refuse("listing_closed", "a SOLD listing cannot be edited"),
        (Action::Edit { material: true, auto_approve: false }, Active | Paused | Expired) => Ok(Pending),
        (Action::Edit { .. }, unchanged) => Ok(unchanged),
        (Action::Pause, Active) => Ok(Paused),
        (Action::Pause, _) => refuse("listing_not_active", "only an ACTIVE listing can be paused"),
        (Action::Resume { overdue: false }, Paused) => Ok(Active),
        (Action::Resume { overdue: true }, Paused) => {
            refuse("listing_expired", "its time has run out: renew it")
        }
        (Action::Resume { .. }, _) => refuse("listing_not_paused", "only a PAUSED listing can be resumed"),
        (Action::MarkSold, Active | Paused | Expired) => Ok(Sold),
        (Action::MarkSold, _) => {
            refuse("listing_not_on_sale", "only an ACTIVE, PAUSED or EXPIRED listing can be sold")
        }
        (Action::Renew { .. }, Expired) => Ok(Active),
        (Action::Renew { due_soon: true }, unchanged @ (Active | Paused)) => Ok(unchanged),
        (Action::Renew { due_soon: false }, Active | Paused) => {
            refuse("renewal_too_early", "it can be renewed from three days before it expires")
        }
        (Action::Renew { .. }, _) => {
            refuse("listing_not_renewable", "only an ACTIVE, PAUSED or EXPIRED listing can be renewed")
        }
        (Action::Expire, Active | Paused) => Ok(Expired),
        (Action::Expire, _) => refuse("listing_not_running", "only an ACTIVE or PAUSED listing expires"),
        (Action::Delete, _) => Ok(Deleted),
    }
}

fn is_open_to(action: Action, who: Who) -> bool {
    match action {
        Action::Approve | Action::Reject => who == Who::Reviewer,
        Action::Expire => who == Who::System,
        // The marketplace pauses what a blocked seller offers.
        Action::Pause | Action::Renew { .. } => matches!(who, Who::Owner | Who::System),
        Action::Submit { .. }
        | Action::Edit { .. }
        | Action::Resume { .. }
        | Action::MarkSold
        | Action::Delete => who == Who::Owner,
    }
}

/// A listing's state and the moments that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) status: ListingStatus,
    /// When it was first seen by everybody.
    pub(crate) published_at: Option<DateTime<Utc>>,
    /// What lists order it by: `published_at`, or before that when it was made.
    pub(crate) listed_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) sold_at: Option<DateTime<Utc>>,
    pub(crate) renew_count: i32,
}

impl Standing {
    /// The standing of a new draft.
    pub(crate) fn draft(now: DateTime<Utc>) -> Self {
        Self {
            status: ListingStatus::Draft,
            published_at: None,
            listed_at: now,
            expires_at: None,
            sold_at: None,
            renew_count: 0,
        }
    }

    /// Whether its time has run out.
    pub(crate) fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether it ends soon enough to be renewed.
    pub(crate) fn is_due_soon(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end - RENEWAL_WINDOW <= now)
    }

    /// Acts, and sets the moments that follow. `term` is how long a listing runs.
    ///
    /// An edit or a second review neither moves a listing to the top again nor lets it run longer; only a renewal
    /// does the latter.
    pub(crate) fn act(
        &mut self,
        action: Action,
        who: Who,
        now: DateTime<Utc>,
        term: TimeDelta,
    ) -> Result<(), Refusal> {
        let status = next(self.status, action, who)?;
        if status == ListingStatus::Active && self.status != ListingStatus::Active {
            let published_at = *self.published_at.get_or_insert(now);
            self.listed_at = published_at;
            if self.is_overdue(now) || self.expires_at.is_none() {
                self.expires_at = Some(now + term);
            }
        }
        if matches!(action, Action::Renew { .. }) {
            // A listing renewed before its end keeps the days that are left.
            if self.status != ListingStatus::Expired {
                self.expires_at = self.expires_at.map(|end| end.max(now) + term);
            }
            self.renew_count += 1;
        }
        if status == ListingStatus::Sold {
            self.sold_at = Some(now);
        }
        self.status = status;
        Ok(())
    }
}
