//! Categories: the tree that everybody sees, and its upkeep by administrators.

mod body;
mod manage;
mod read;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(read::list_categories)
        .service(read::category_tree)
        .service(read::get_category)
        .service(manage::create_category)
        .service(manage::update_category)
        .service(manage::delete_category);
}
