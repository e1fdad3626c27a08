//! People: one's own profile and contacts, sellers as buyers see them, and what staff do with accounts.

mod contact;
mod list;
mod me;
mod role;
mod seller;
mod status;
mod totp;

use crate::http::Routes;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    // `me` before `{id}`, which would match it too.
    routes
        .service(me::my_profile)
        .service(me::update_my_profile)
        .service(contact::ask_contact_change)
        .service(contact::confirm_contact_change)
        .service(list::list_users)
        .service(list::user_detail)
        .service(status::set_user_status)
        .service(status::suspend_user)
        .service(role::set_user_role)
        .service(totp::reset_user_totp)
        .service(seller::seller);
}
