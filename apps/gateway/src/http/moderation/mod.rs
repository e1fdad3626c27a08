//! Moderation: the queue of listings that wait, the decision on each, and the reasons there are.

mod queue;
mod reasons;
mod review;
mod reviews;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(review::review_listing)
        .service(reviews::list_reviews)
        .service(queue::review_queue)
        .service(reasons::list_reasons);
}
