//! Categories: the tree that everybody sees, and its upkeep by administrators.

mod body;
mod manage;
mod read;

use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(read::list_categories)
        .service(read::category_tree)
        .service(read::get_category)
        .service(manage::create_category)
        .service(manage::update_category)
        .service(manage::delete_category);
}
