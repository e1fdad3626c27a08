//! The catalogue's rows.

use super::{Category, Kind, KindSpec, Variable};
use crate::Channel::{self, Email, InApp, Push, Sms};

const QUIETLY: &[Channel] = &[InApp];
const BY_PUSH: &[Channel] = &[InApp, Push];
const BY_PUSH_AND_MAIL: &[Channel] = &[InApp, Push, Email];
const BY_ALL: &[Channel] = &[InApp, Push, Sms, Email];

const TITLE: Variable = Variable::text("title", "Red bicycle, 21 gears");
const REASON: Variable = Variable::text("reason", "The photos do not show the item.");
const AMOUNT: Variable = Variable::rupees("amount", 50_000);
const UNTIL: Variable = Variable::moment("until", "2026-02-01T04:30:00Z");

/// A kind that follows people's choices and does not collapse; the rows below change what differs.
const fn plain(
    kind: Kind,
    name: &'static str,
    category: Category,
    channels: &'static [Channel],
    variables: &'static [Variable],
) -> KindSpec {
    KindSpec { kind, name, category, channels, critical: false, collapses: false, variables }
}

const fn critical(spec: KindSpec) -> KindSpec {
    KindSpec { critical: true, ..spec }
}

const fn collapsing(spec: KindSpec) -> KindSpec {
    KindSpec { collapses: true, ..spec }
}

/// Every kind, by category.
pub(super) const ALL: &[KindSpec] = &[
    plain(Kind::ListingApproved, "listing.approved", Category::Listings, BY_PUSH, &[TITLE]),
    plain(Kind::ListingRejected, "listing.rejected", Category::Listings, BY_PUSH_AND_MAIL, &[TITLE, REASON]),
    collapsing(plain(
        Kind::ListingExpiring,
        "listing.expiring",
        Category::Listings,
        BY_PUSH_AND_MAIL,
        &[TITLE, UNTIL],
    )),
    plain(Kind::ListingExpired, "listing.expired", Category::Listings, BY_PUSH, &[TITLE]),
    plain(Kind::BoostStarted, "boost.started", Category::Boosts, QUIETLY, &[TITLE, UNTIL]),
    plain(Kind::BoostEnded, "boost.ended", Category::Boosts, BY_PUSH, &[TITLE]),
    plain(Kind::WalletToppedUp, "wallet.topped_up", Category::Wallet, BY_PUSH_AND_MAIL, &[AMOUNT]),
    plain(Kind::WalletBonus, "wallet.bonus", Category::Wallet, BY_PUSH, &[AMOUNT]),
    plain(Kind::PaymentFailed, "payment.failed", Category::Wallet, BY_PUSH, &[AMOUNT]),
    plain(Kind::RefundProcessed, "refund.processed", Category::Wallet, BY_PUSH_AND_MAIL, &[AMOUNT]),
    plain(Kind::RefundFailed, "refund.failed", Category::Wallet, BY_PUSH_AND_MAIL, &[AMOUNT]),
    plain(Kind::PayoutCompleted, "payout.completed", Category::Wallet, BY_PUSH_AND_MAIL, &[AMOUNT]),
    plain(Kind::PayoutFailed, "payout.failed", Category::Wallet, BY_PUSH_AND_MAIL, &[AMOUNT]),
    plain(Kind::AccountWarned, "account.warned", Category::Account, BY_PUSH_AND_MAIL, &[REASON]),
    critical(plain(Kind::AccountBlocked, "account.blocked", Category::Account, BY_ALL, &[])),
    critical(plain(Kind::AccountRestored, "account.restored", Category::Account, BY_PUSH_AND_MAIL, &[])),
    collapsing(plain(Kind::ContactReceived, "contact.received", Category::Contacts, BY_PUSH, &[TITLE])),
    critical(plain(
        Kind::SecurityNewLogin,
        "security.new_login",
        Category::Security,
        BY_PUSH_AND_MAIL,
        &[Variable::text("device", "Chrome on Android"), Variable::moment("at", "2026-01-05T13:00:00Z")],
    )),
    critical(plain(
        Kind::SecurityContactChanged,
        "security.contact_changed",
        Category::Security,
        BY_ALL,
        &[Variable::moment("at", "2026-01-05T13:00:00Z")],
    )),
    plain(Kind::KycApproved, "kyc.approved", Category::Account, BY_PUSH_AND_MAIL, &[]),
    plain(Kind::KycRejected, "kyc.rejected", Category::Account, BY_PUSH_AND_MAIL, &[REASON]),
    plain(Kind::ReportResolved, "report.resolved", Category::Account, BY_PUSH, &[]),
    plain(
        Kind::Announcement,
        "announcement",
        Category::Announcements,
        BY_PUSH,
        &[
            Variable::text("headline", "Festival week"),
            Variable::text("text", "Boosts cost half until Sunday."),
        ],
    ),
];

/// The row of a kind. The match is what makes the compiler ask for a row.
pub(super) fn of(kind: Kind) -> &'static KindSpec {
    // A test of the catalogue proves that each kind has its row; the first one stands for the impossible.
    #[expect(clippy::indexing_slicing, reason = "reckoned when it is compiled, and there are rows")]
    const FIRST: &KindSpec = &ALL[0];
    ALL.iter().find(|spec| spec.kind == kind).unwrap_or(FIRST)
}
