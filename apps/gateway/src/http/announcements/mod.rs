//! Announcements: what people are shown and close, and what staff write, schedule and stop.

mod active;
mod body;
mod broadcast;
mod manage;
mod moves;
mod read;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    // Words before `{id}`, which would match them too.
    routes
        .service(active::active_announcements)
        .service(active::dismiss_announcement)
        .service(read::count_audience)
        .service(broadcast::broadcast)
        .service(read::list_announcements)
        .service(manage::create_announcement)
        .service(read::announcement)
        .service(manage::update_announcement)
        .service(manage::delete_announcement)
        .service(moves::schedule_announcement)
        .service(moves::unschedule_announcement)
        .service(moves::stop_announcement);
}
