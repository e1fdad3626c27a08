//! Proofs that the books are what was written: seals over ranges of journals, and a check of every row.

mod merkle;
mod seal;
mod stored;
mod verify;

pub use seal::Sealed;
pub use verify::{Mismatch, Part, Progress, Report};
