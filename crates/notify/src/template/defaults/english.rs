//! The words in English.

use crate::Kind;

/// A kind's title and sentence.
pub(super) fn of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::ListingApproved => {
            ("Your listing is live", "“{{ title }}” was approved and is now shown to buyers.")
        }
        Kind::ListingRejected => {
            ("Your listing was not approved", "“{{ title }}” cannot be shown: {{ reason }}")
        }
        Kind::ListingExpiring => (
            "Your listing ends soon",
            "“{{ title }}” is shown until {{ until | day }}. Renew it to keep it visible.",
        ),
        Kind::ListingExpired => {
            ("Your listing has ended", "“{{ title }}” is no longer shown. Renew it to show it again.")
        }
        Kind::BoostStarted => ("Your boost has begun", "“{{ title }}” is boosted until {{ until | day }}."),
        Kind::BoostEnded => ("Your boost has ended", "The boost of “{{ title }}” is over."),
        Kind::WalletToppedUp => ("Money has arrived", "{{ amount | money }} was added to your wallet."),
        Kind::WalletBonus => {
            ("You have received credit", "{{ amount | money }} of credit was added to your wallet.")
        }
        Kind::PaymentFailed => {
            ("Your payment failed", "The payment of {{ amount | money }} failed. Your wallet is unchanged.")
        }
        Kind::RefundProcessed => {
            ("Your refund is on its way", "{{ amount | money }} was sent back to where it came from.")
        }
        Kind::RefundFailed => (
            "Your refund failed",
            "{{ amount | money }} could not be sent back, and is in your wallet again.",
        ),
        Kind::PayoutCompleted => {
            ("Your payout has arrived", "{{ amount | money }} was paid to your account.")
        }
        Kind::PayoutFailed => {
            ("Your payout failed", "{{ amount | money }} could not be paid out, and is in your wallet again.")
        }
        Kind::AccountWarned => ("A warning from our team", "Please keep to our rules: {{ reason }}"),
        Kind::AccountBlocked => {
            ("Your account is blocked", "Your account was blocked. Write to us if this is wrong.")
        }
        Kind::AccountRestored => ("Your account is free again", "You can use your account again."),
        Kind::ContactReceived => (
            "Somebody is interested",
            "{% if count == 1 %}A buyer{% else %}{{ count }} buyers{% endif %} asked for your number because of “{{ title }}”.",
        ),
        Kind::SecurityNewLogin => (
            "A new login",
            "Somebody logged in to your account on {{ device }}, {{ at | time }}. If it was not you, end that session now.",
        ),
        Kind::SecurityContactChanged => (
            "Your contact details were changed",
            "The number or address of your account was changed, {{ at | time }}. If it was not you, write to us now.",
        ),
        Kind::KycApproved => ("You are verified", "Your proof of identity was accepted."),
        Kind::KycRejected => {
            ("We could not verify you", "Your proof of identity was not accepted: {{ reason }}")
        }
        Kind::ReportResolved => ("We looked at your report", "Thank you: what you reported was decided on."),
        Kind::Announcement => ("{{ headline }}", "{{ text }}"),
    }
}
