//! Boosts: what can be bought for a listing, by whom it is kept up, and the buying.

mod body;
mod buy;
mod manage;
mod read;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(read::list_boost_plans)
        .service(read::get_boost_plan)
        .service(manage::create_boost_plan)
        .service(manage::update_boost_plan)
        .service(manage::withdraw_boost_plan)
        .service(buy::boost_listing)
        .service(buy::feature_listing)
        .service(buy::listing_boosts);
}
