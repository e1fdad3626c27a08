//! Tests of the whole: the house's rules over the workspace's own metadata and sources.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

mod architecture;
mod docs;
mod proofs;
mod sources;
