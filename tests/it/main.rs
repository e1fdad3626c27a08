//! Tests of the whole: the house's rules over the workspace's own metadata and sources.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod architecture;
mod docs;
mod sources;
