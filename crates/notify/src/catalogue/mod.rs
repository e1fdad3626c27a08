//! The catalogue: everything that people are told of, each kind with its category, its ways and its variables.
//!
//! A kind is named like the event that brings it about. What the words are is in [`crate::template`].

mod category;
mod kind_text;
mod spec;
mod variable;

use serde::Serialize;

use crate::Channel;

pub use category::Category;
pub use variable::{Sample, Variable};

/// A kind of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A listing was approved and is shown.
    ListingApproved,
    /// A listing was rejected.
    ListingRejected,
    /// A listing expires soon.
    ListingExpiring,
    /// A listing has expired.
    ListingExpired,
    /// A boost has begun.
    BoostStarted,
    /// A boost has ended.
    BoostEnded,
    /// A top-up has arrived in the wallet.
    WalletToppedUp,
    /// The marketplace gave credit.
    WalletBonus,
    /// A payment failed.
    PaymentFailed,
    /// A refund has arrived where it came from.
    RefundProcessed,
    /// A refund has failed.
    RefundFailed,
    /// A payout has arrived.
    PayoutCompleted,
    /// A payout has failed.
    PayoutFailed,
    /// Moderators warned somebody.
    AccountWarned,
    /// An account was suspended or banned.
    AccountBlocked,
    /// An account is free again.
    AccountRestored,
    /// Somebody asked for the seller's number.
    ContactReceived,
    /// Somebody logged in on a new device.
    SecurityNewLogin,
    /// The number or address of an account has changed.
    SecurityContactChanged,
    /// Proof of identity was accepted.
    KycApproved,
    /// Proof of identity was refused.
    KycRejected,
    /// What somebody reported was decided on.
    ReportResolved,
    /// The marketplace tells many people something.
    Announcement,
}

/// What the catalogue says of a kind.
#[derive(Debug, Clone, Copy)]
pub struct KindSpec {
    /// The kind.
    pub kind: Kind,
    /// Its name, dotted.
    pub name: &'static str,
    /// What people choose about it together with others.
    pub category: Category,
    /// The ways it goes unless somebody chose otherwise.
    pub channels: &'static [Channel],
    /// Whether it goes by its ways at any hour and whatever was chosen or sent before.
    pub critical: bool,
    /// Whether several of it about one thing become one while they are unread; the key is the kind and the action.
    pub collapses: bool,
    /// What its texts may name beside the [common variables](Variable::COMMON).
    pub variables: &'static [Variable],
}

impl Kind {
    /// What the catalogue says of it.
    pub fn spec(self) -> &'static KindSpec {
        spec::of(self)
    }

    /// Everything there is, in the catalogue's order.
    pub fn all() -> impl Iterator<Item = Self> {
        spec::ALL.iter().map(|spec| spec.kind)
    }

    /// Its name, dotted: `listing.approved`.
    pub fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// What people choose about it together with others.
    pub fn category(self) -> Category {
        self.spec().category
    }

    /// Whether it goes at any hour and whatever was chosen or sent before.
    pub fn is_critical(self) -> bool {
        self.spec().critical
    }
}

/// A kind as staff see it beside its templates.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindView {
    /// Its name.
    #[schema(example = "listing.approved")]
    pub kind: &'static str,
    /// What people choose about it together with others.
    pub category: Category,
    /// The ways it goes unless somebody chose otherwise.
    pub channels: Vec<Channel>,
    /// Whether it goes at any hour and whatever was chosen or sent before.
    pub critical: bool,
    /// What its texts may name.
    #[schema(example = json!(["title", "brand", "link"]))]
    pub variables: Vec<&'static str>,
}

impl From<Kind> for KindView {
    fn from(kind: Kind) -> Self {
        let spec = kind.spec();
        Self {
            kind: spec.name,
            category: spec.category,
            channels: spec.channels.to_vec(),
            critical: spec.critical,
            variables: spec.variables.iter().chain(Variable::COMMON).map(|variable| variable.name).collect(),
        }
    }
}

/// The whole catalogue, as staff see it.
pub fn catalogue() -> Vec<KindView> {
    Kind::all().map(KindView::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_stands_in_the_catalogue_once_under_its_own_name() {
        let names: HashSet<_> = Kind::all().map(Kind::as_str).collect();
        assert_eq!(names.len(), spec::ALL.len());
        for kind in Kind::all() {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), kind);
            assert_eq!(kind.spec().kind, kind);
            assert!(kind.as_str().len() <= 64, "the column's width");
        }
        assert_eq!("nothing".parse::<Kind>().unwrap_err().code, "unknown_kind");
    }

    #[test]
    fn what_is_critical_goes_by_a_way_that_reaches_people() {
        for kind in Kind::all().filter(|kind| kind.is_critical()) {
            assert!(kind.spec().channels.iter().any(|channel| *channel != Channel::InApp), "{kind:?}");
            assert!(!kind.spec().collapses, "{kind:?}: nothing critical hides in another");
        }
    }

    #[test]
    fn everything_is_in_the_inbox() {
        for kind in Kind::all() {
            assert_eq!(kind.spec().channels.first(), Some(&Channel::InApp), "{kind:?}");
        }
    }
}
