//! Logging in and out: one-time codes, tokens, sessions, and the second factor of staff.

mod jwks;
mod logout;
mod refresh;
mod send_otp;
mod sessions;
mod totp;
mod verify_otp;

use crate::http::Routes;
pub(crate) use send_otp::{SendOtpBody, asked_language};

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes
        .service(send_otp::send_otp)
        .service(verify_otp::verify_otp)
        .service(refresh::refresh)
        .service(logout::logout)
        .service(sessions::list_sessions)
        .service(sessions::revoke_other_sessions)
        .service(sessions::revoke_session)
        .service(totp::enrol_totp)
        .service(totp::confirm_totp)
        .service(totp::step_up)
        .service(jwks::jwks);
}
