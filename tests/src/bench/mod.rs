//! A marketplace full of listings, for `make bench` to ask for.

mod fill;
mod goods;

pub use fill::{Filled, Filter, fill};
