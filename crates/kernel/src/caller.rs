//! A request's author and where it came from: what a record of a deed names.

use crate::Actor;

/// Where a request came from, as far as records keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The request's id, also in its answer and in the log.
    pub request_id: Option<String>,
    /// The client's address, already resolved through trusted proxies.
    pub address: Option<String>,
    /// The client's `User-Agent`, shortened.
    pub agent: Option<String>,
}

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl Caller {
    /// The marketplace itself, by the name of the part that acts.
    pub fn system(part: &'static str) -> Self {
        Self { actor: Actor::System(part), origin: Origin::default() }
    }
}
