//! The stories, one file each.

mod announce;
mod apply_payment;
mod block_user;
mod boost_listing;
mod broadcast;
mod change_contact;
mod contact_seller;
mod dead_letters;
mod deliveries;
mod grant_bonus;
mod listing_settings;
mod log_in;
mod look_after_payments;
mod once;
mod post_listing;
mod refund_boosts;
mod refund_payment;
mod review_listing;
mod seed;
mod send_otp;
mod settle_facts;
mod test_template;
mod top_up;
mod update_profile;
mod verify_books;
mod verify_payment;
mod wallet_event;
mod work_off_webhooks;

pub use boost_listing::Boosted;
pub use contact_seller::SellerContact;
pub use dead_letters::{DeadLetterKind, DeadLetterView};
pub use grant_bonus::{BonusView, NewBonus};
pub use once::{Effect, KeptRefusal, Once};
pub use verify_payment::CheckoutProof;
