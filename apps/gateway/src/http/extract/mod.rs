//! What handlers take: who is asking, and parsed input. Each refuses by itself, with a problem.

mod authority;
mod body;
mod caller;
mod conditional;
mod idempotent;
mod path;
mod query;
mod raw;

pub(crate) use authority::{
    Admin, Administration, Finance, Finances, Member, Moderator, Staff, SteppedUp, SuperAdministration,
    Viewer,
};
pub(crate) use body::{Optional, Valid, not_null};
pub(crate) use caller::{ClientOrigin, takes_body};
pub(crate) use conditional::{IfMatch, Versioned, conditional_json, is_known};
pub(crate) use idempotent::{IdempotencyHeader, Idempotent, RequiredKey, RequiredKeyHeader, replayed};
pub(crate) use path::PathId;
pub(crate) use query::Query;
pub(crate) use raw::read_within;
