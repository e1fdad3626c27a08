//! Photos: uploaded by members, served to everybody.

mod serve;
mod upload;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes.service(upload::upload_photos).service(serve::get_media);
}
