//! The path as the router reads it.

use actix_web::dev::ServiceRequest;

/// The path with its percent-encoding undone, by which the router chooses. Whatever decides by path before the router
/// must look at this: `/%61pi/auth/send-otp` reaches the same handler as `/api/auth/send-otp`.
pub(crate) fn routed_path(request: &ServiceRequest) -> &str {
    request.match_info().as_str()
}

/// Whether the path is one that operators and proxies watch the process by: neither load nor a rate may hide it.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/health" | "/metrics")
}

/// Where sockets connect. A poll waits for what is to be told, so neither the number of requests under way nor a
/// deadline is for it; how many connections there are is bounded where they are kept.
pub(super) fn is_socket(path: &str) -> bool {
    path.trim_end_matches('/') == crate::realtime::PATH
}

/// Where providers report: on payments, and on SMS. The one repeats what is not answered and gives up after a day, the
/// other tells once, so neither load nor a rate turns them away, and no deadline cuts them off.
pub(super) fn is_webhook(path: &str) -> bool {
    matches!(path, "/api/payments/webhook" | "/api/notifications/sms-status")
}
