//! Moderation: the queue of listings that wait, the decision on each, and the reasons there are.

mod queue;
mod reasons;
mod review;
mod reviews;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(review::review_listing)
        .service(reviews::list_reviews)
        .service(queue::review_queue)
        .service(reasons::list_reasons);
}
