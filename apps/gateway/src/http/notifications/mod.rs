//! What people are told: their inbox, how they want to be told, and what mail and SMS lead back to.

mod inbox;
mod mark;
mod preferences;
mod sms_status;
mod unsubscribe;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    // Words before `{id}`, which would match them too.
    routes
        .service(inbox::list_notifications)
        .service(inbox::unread_notifications)
        .service(preferences::notification_preferences)
        .service(preferences::choose_notifications)
        .service(mark::read_all_notifications)
        .service(unsubscribe::show_unsubscribe)
        .service(unsubscribe::unsubscribe)
        .service(sms_status::receive_sms_status)
        .service(mark::read_notification)
        .service(mark::click_notification)
        .service(mark::delete_notification);
}
