//! What every request passes through, outermost first: [`request`] (id, log, metrics, headers, limits, problems),
//! CORS, compression, and [`rate_limit`].

mod client;
mod headers;
mod rate_limit;
mod request;
mod routed;
mod trace;

pub(crate) use rate_limit::{RateLimits, aggregated, limit_rate};
pub(crate) use request::{RequestFacts, handle_request};
pub(crate) use routed::routed_path;
