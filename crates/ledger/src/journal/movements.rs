//! Between which accounts each kind of journal moves money. Templates write nothing else, so whatever else stands in the
//! books was written by nobody who may.

use super::JournalKind;
use crate::Account::{self, House as Ours, User as Theirs};
use crate::House::{
    ExpenseGatewayFee, GatewayClearing, GstInput, GstOutputCgst, GstOutputSgst, PromotionsExpense,
    RevenueBoost, SuspenseUnmatched,
};
use crate::Purse::{Available, Debt, Earnings, Held, Promo};

impl JournalKind {
    /// Whether a journal of the kind may move money from the one to the other. What a reversal may is told by the journal
    /// that it reverses, so here it may do anything.
    pub(crate) fn moves(self, from: Account, to: Account) -> bool {
        match self {
            Self::TopUp => matches!((from, to), (Ours(GatewayClearing), Theirs(_, Available))),
            Self::GatewayFee => {
                matches!((from, to), (Ours(ExpenseGatewayFee | GstInput), Ours(GatewayClearing)))
            }
            Self::Unmatched => matches!((from, to), (Ours(GatewayClearing), Ours(SuspenseUnmatched))),
            Self::UnmatchedReturn => matches!((from, to), (Ours(SuspenseUnmatched), Ours(GatewayClearing))),
            Self::RefundHold => {
                matches!((from, to), (Theirs(_, Available | Earnings), Theirs(_, Held)))
                    && is_ones_own(from, to)
            }
            Self::RefundDone => matches!((from, to), (Theirs(_, Held), Ours(GatewayClearing))),
            Self::RefundRelease => Self::RefundHold.moves(to, from),
            Self::RefundElsewhere => {
                matches!((from, to), (Theirs(_, Available | Debt), Ours(GatewayClearing)))
            }
            Self::BoostCharge | Self::FeatureCharge => matches!(
                (from, to),
                (Theirs(_, Promo), Ours(RevenueBoost))
                    | (Theirs(_, Available | Earnings), Ours(RevenueBoost | GstOutputCgst | GstOutputSgst))
            ),
            Self::BoostRefund => Self::BoostCharge.moves(to, from),
            Self::Bonus => matches!((from, to), (Ours(PromotionsExpense), Theirs(_, Promo))),
            Self::Recovery => {
                matches!((from, to), (Theirs(_, Available), Theirs(_, Debt))) && is_ones_own(from, to)
            }
            Self::Reversal => true,
        }
    }
}

fn is_ones_own(from: Account, to: Account) -> bool {
    from.user() == to.user()
}

#[cfg(test)]
mod tests {
    use kernel::UserId;
    use uuid::Uuid;

    use super::*;
    use crate::{House, Purse};

    /// All that each kind moves, as a table.
    #[test]
    fn each_kind_moves_money_between_the_accounts_of_its_template() {
        let user = |n| UserId::from(Uuid::from_u128(n));
        let purses = |n| Purse::ALL.map(|purse| Theirs(user(n), purse));
        let accounts = || House::ALL.map(Ours).into_iter().chain(purses(1)).chain(purses(2));
        let mut moved = Vec::new();
        for kind in JournalKind::ALL.into_iter().filter(|kind| *kind != JournalKind::Reversal) {
            for (from, to) in accounts().flat_map(|from| accounts().map(move |to| (from, to))) {
                let is_of_one = from.user().is_none_or(|user| to.user().is_none_or(|other| user == other));
                if kind.moves(from, to) {
                    assert!(is_of_one, "{kind:?} between two users");
                    moved.push(format!("{}: {} → {}", kind.as_str(), from.kind(), to.kind()));
                }
            }
        }
        moved.sort();
        moved.dedup();
        assert_eq!(
            moved,
            [
                "bonus: promotions:expense → promo",
                "boost_charge: available → revenue:boost",
                "boost_charge: available → tax:gst_output:cgst",
                "boost_charge: available → tax:gst_output:sgst",
                "boost_charge: earnings → revenue:boost",
                "boost_charge: earnings → tax:gst_output:cgst",
                "boost_charge: earnings → tax:gst_output:sgst",
                "boost_charge: promo → revenue:boost",
                "boost_refund: revenue:boost → available",
                "boost_refund: revenue:boost → earnings",
                "boost_refund: revenue:boost → promo",
                "boost_refund: tax:gst_output:cgst → available",
                "boost_refund: tax:gst_output:cgst → earnings",
                "boost_refund: tax:gst_output:sgst → available",
                "boost_refund: tax:gst_output:sgst → earnings",
                "feature_charge: available → revenue:boost",
                "feature_charge: available → tax:gst_output:cgst",
                "feature_charge: available → tax:gst_output:sgst",
                "feature_charge: earnings → revenue:boost",
                "feature_charge: earnings → tax:gst_output:cgst",
                "feature_charge: earnings → tax:gst_output:sgst",
                "feature_charge: promo → revenue:boost",
                "gateway_fee: expense:gateway_fee → gateway:clearing",
                "gateway_fee: tax:gst_input → gateway:clearing",
                "recovery: available → debt",
                "refund_done: held → gateway:clearing",
                "refund_elsewhere: available → gateway:clearing",
                "refund_elsewhere: debt → gateway:clearing",
                "refund_hold: available → held",
                "refund_hold: earnings → held",
                "refund_release: held → available",
                "refund_release: held → earnings",
                "top_up: gateway:clearing → available",
                "unmatched: gateway:clearing → suspense:unmatched",
                "unmatched_return: suspense:unmatched → gateway:clearing",
            ]
        );
    }
}
