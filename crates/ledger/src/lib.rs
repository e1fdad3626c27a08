//! Money we keep account of: accounts, journals of postings, holds, the folding of house accounts, and their proofs.
//!
//! Owns the tables `ledger_wallets`, `ledger_accounts`, `ledger_journals`, `ledger_postings`, `ledger_entries`,
//! `ledger_deltas`, `ledger_holds`, `ledger_refusals` and `ledger_seals`.
//!
//! Invariants:
//! - A posting moves a positive amount from one account to another, so the sum over all accounts is always 0.
//! - A journal is written wholly or not at all, and never changed; one key names one journal, and what was refused
//!   under a key stays refused.
//! - A user's `available`, `held`, `promo` and `earnings` are never below 0, and `debt` never above, whoever races.
//! - The versions of a wallet number its history without gap or fork.
//! - A hold ends once, captured or released; `held` is the sum of the user's open holds.
//! - Posting never locks a house account: it adds a delta, which [`Ledger::fold`] moves into the balance.
//!
//! ```no_run
//! # async fn example(ledger: ledger::Ledger, user: kernel::UserId) -> Result<(), ledger::LedgerError> {
//! use kernel::Money;
//! use ledger::{Outcome, templates};
//!
//! let journal = templates::top_up("pay_29QQoUBi66xm2f", user, Money::inr(50_000))?;
//! assert!(matches!(ledger.post(&journal).await?, Outcome::Posted(_)));
//! assert!(matches!(ledger.post(&journal).await?, Outcome::Known(_)), "the same payment credits once");
//! # Ok(())
//! # }
//! ```

mod account;
mod books;
mod error;
mod fold;
pub mod gst;
mod hold;
mod journal;
mod poster;
mod proof;
pub mod templates;

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, CursorCodec};
use store::Database;

pub use account::{Account, Balances, House, Purse, Split};
pub use books::{
    BalanceChange, ReferenceView, Statement, TransactionFilter, TransactionQuery, TransactionStatus,
    TransactionType, TypeTotalView, WalletStatsView, WalletTotalsView, WalletTransactionView, WalletView,
};
pub use error::LedgerError;
pub use fold::HouseBalance;
pub use gst::GstRate;
pub use hold::{HoldOutcome, HoldPurpose, NewHold};
pub use journal::{JournalKind, Leg, NewJournal, Outcome, Reference, Refusal};
pub use poster::Poster;
pub use proof::{Mismatch, Part, Progress, Report, Sealed};

/// How the ledger is set up.
#[derive(Debug, Clone)]
pub struct LedgerConfig {
    /// Signs the cursors of its lists.
    pub cursors: CursorCodec,
}

/// Posts and reads. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    db: Database,
    ambient: Ambient,
    config: Arc<LedgerConfig>,
    /// Whether journals are posted a statement at a time on every engine.
    plain: bool,
    /// For how long a statement that is no part of a transaction may be under way.
    patience: Duration,
}

/// For how long a statement that posts may be on its way to the server, by the clocks of the two, unless
/// [told otherwise](Ledger::with_patience).
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Ledger {
    /// The ledger of a database.
    pub fn new(db: Database, ambient: Ambient, config: LedgerConfig) -> Self {
        Self { db, ambient, config: Arc::new(config), plain: false, patience: PATIENCE }
    }

    /// The same ledger, posting a statement at a time on every engine: for servers that speak PostgreSQL's protocol but
    /// have neither its functions nor its rows' versions.
    #[must_use]
    pub fn in_plain_statements(self) -> Self {
        Self { plain: true, ..self }
    }

    /// The same ledger, of which a statement that is no part of a transaction writes nothing when it comes to the server
    /// later than this, by the clocks of the two; a minute, unless told. The delay of [`seal`](Self::seal) must be longer.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}
