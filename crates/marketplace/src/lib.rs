//! The marketplace: the stories in which several domains take part, each in one transaction.
//!
//! A domain knows nothing of another. A flow opens the transaction, calls the domains' `_in_txn` functions with it,
//! and says what one domain's facts mean to the others. Everything here runs without HTTP.

mod error;
mod failpoints;
mod flows;
mod jobs;
mod telling;
mod turns;

use catalog::Catalog;
use catalog::photo::Photos;
use identity::Identity;
use kernel::Ambient;
use ledger::Ledger;
use moderation::Moderation;
use notify::{HookClient, Notify, OtpMessages, OtpSenders, Senders};
use payments::Payments;
use platform::Settings;
use store::Database;

pub use error::FlowError;
pub use failpoints::{Failpoint, Failpoints};
pub use flows::{
    BonusView, BoostDesk, Boosted, CheckoutProof, DeadLetterKind, DeadLetterView, Effect, KeptRefusal,
    NewBonus, Once, SellerContact,
};
pub use jobs::{POLL_ORDERS_JOB, POLL_REFUNDS_JOB, schedules, worker};
pub use telling::{EVERYONE, Listener, Stream, Telling};
pub use turns::Turns;

/// The domains, wired together. Cheap to clone.
#[derive(Clone)]
pub struct Marketplace {
    /// The database they share.
    pub db: Database,
    /// Time and randomness.
    pub ambient: Ambient,
    /// People.
    pub identity: Identity,
    /// Goods.
    pub catalog: Catalog,
    /// Their pictures.
    pub photos: Photos,
    /// Decisions about them.
    pub moderation: Moderation,
    /// What can be changed while the marketplace runs.
    pub settings: Settings,
    /// Texts of one-time codes.
    pub otp_messages: OtpMessages,
    /// Sends them, whatever becomes of other messages.
    pub otp_senders: OtpSenders,
    /// What people are told.
    pub notify: Notify,
    /// Sends text messages, mail and push messages.
    pub senders: Senders,
    /// Sends webhooks.
    pub hooks: HookClient,
    /// Money that is kept account of.
    pub ledger: Ledger,
    /// Money that moves.
    pub payments: Payments,
    /// Sells boosts that are ordered at the same time.
    pub boost_desk: BoostDesk,
    /// Whose turn it is to poll the payment provider.
    pub turns: Turns,
    /// Where tests end the process; nowhere otherwise.
    pub failpoints: Failpoints,
}

impl std::fmt::Debug for Marketplace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Marketplace")
    }
}
