//! The stories, one file each.

mod block_user;
mod contact_seller;
mod listing_settings;
mod post_listing;
mod review_listing;
mod seed;
mod send_otp;
mod update_profile;

pub use contact_seller::SellerContact;
pub use post_listing::Posted;
