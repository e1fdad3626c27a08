//! What `make bench` needs beside requests: a marketplace full of listings, sellers who boost theirs, and callers of the
//! ledger.

mod fill;
mod goods;
mod ledger;
mod sellers;

pub use fill::{Filled, Filter, fill};
pub use ledger::{Form, Load, Measured, check_boosts, measure};
pub use sellers::{Seller, Sellers, TokenNames, log_in_sellers};
