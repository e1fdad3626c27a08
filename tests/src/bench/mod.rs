//! What `make bench` needs beside requests: a marketplace full of listings, sellers who boost theirs, callers of the
//! ledger, and rooms full of sockets.

mod fill;
mod goods;
mod ledger;
mod sellers;
mod sockets;

pub use fill::{Filled, Filter, fill};
pub use ledger::{Form, Load, Measured, check_boosts, measure};
pub use sellers::{Seller, Sellers, TokenNames, log_in_sellers};
pub use sockets::{AT_ONCE, Listener, Room, StuckReader, connect, percentile};
