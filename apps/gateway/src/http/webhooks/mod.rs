//! Webhooks out: the endpoints that administrators name, and what was sent to them.

mod body;
mod log;
mod manage;
mod switch;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(manage::list_webhooks)
        .service(manage::create_webhook)
        .service(manage::webhook)
        .service(manage::update_webhook)
        .service(manage::delete_webhook)
        .service(switch::enable_webhook)
        .service(switch::disable_webhook)
        .service(switch::rotate_webhook_secret)
        .service(log::webhook_deliveries)
        .service(log::resend_webhook);
}
