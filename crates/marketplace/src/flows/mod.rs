//! The stories, one file each.

mod listing_settings;
mod seed;
