//! What a wallet shows: its balances, its history row by row, the same as a statement, and sums.
//!
//! Nothing here is stored: a row of the history is what the journal's postings say, between the balances that the
//! wallet's entries give for before and after.

mod page;
mod query;
mod rows;
mod shape;
mod statement;
mod stats;
mod transaction;
mod wallet;

pub use query::{TransactionFilter, TransactionQuery};
pub(crate) use rows::sum_of;
pub use shape::TransactionType;
pub use statement::Statement;
pub use stats::{TypeTotalView, WalletStatsView, WalletTotalsView};
pub use transaction::{BalanceChange, ReferenceView, TransactionStatus, WalletTransactionView};
pub use wallet::WalletView;
