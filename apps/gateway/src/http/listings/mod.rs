//! Listings: found by everybody, written by their sellers, with the seller's number for who asks.

mod body;
mod contact;
mod lifecycle;
mod mine;
mod read;
mod search;
mod write;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(search::list_listings)
        .service(mine::my_listings)
        .service(read::get_listing)
        .service(write::create_listing)
        .service(write::update_listing)
        .service(write::delete_listing)
        .service(lifecycle::submit_listing)
        .service(lifecycle::pause_listing)
        .service(lifecycle::resume_listing)
        .service(lifecycle::renew_listing)
        .service(lifecycle::mark_listing_sold)
        .service(contact::contact_seller);
}
