//! What people are told, in words: the catalogue, and templates read, changed, tried out and reset by administrators.

mod body;
mod change;
mod key;
mod read;
mod try_out;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(read::notification_kinds)
        .service(read::list_templates)
        .service(read::template)
        .service(change::set_template)
        .service(change::reset_template)
        .service(try_out::preview_template)
        .service(try_out::test_template);
}
