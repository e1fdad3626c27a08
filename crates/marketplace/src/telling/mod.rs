//! Telling people what happened: the relay's sink. What streams are told is written in the transaction that marks the
//! event as relayed, and passed on to whoever is connected once it has committed.

mod audience;
mod notices;
mod outside;
mod sink;

pub use audience::{EVERYONE, Stream};
pub(crate) use sink::recipient;
pub use sink::{Listener, Telling};
