//! Photos: uploaded by members, served to everybody.

mod serve;
mod upload;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(upload::upload_photos).service(serve::get_media);
}
