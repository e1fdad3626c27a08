//! The stories, one file each.

mod listing_settings;
mod review_listing;
mod seed;
