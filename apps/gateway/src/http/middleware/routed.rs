//! The path as the router reads it.

use actix_web::dev::ServiceRequest;

/// The path with its percent-encoding undone, by which the router chooses. Whatever decides by path before the router
/// must look at this: `/%61pi/auth/send-otp` reaches the same handler as `/api/auth/send-otp`.
pub(crate) fn routed_path(request: &ServiceRequest) -> &str {
    request.match_info().as_str()
}
