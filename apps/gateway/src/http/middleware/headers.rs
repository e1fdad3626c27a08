//! The headers on every answer, success or failure.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// For an API that serves data and no pages: stricter than Helmet's defaults (OWASP ASVS 5.0, 3.4.3).
const API_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the documentation page, whose scripts and styles come from this server alone.
const DOCS_POLICY: &str = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; \
                           frame-ancestors 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

/// For the page behind a mail's link to unsubscribe, whose one button posts to its own address.
const BUTTON_POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const ALWAYS: [(&str, &str); 10] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("origin-agent-cluster", "?1"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-dns-prefetch-control", "off"),
    ("x-download-options", "noopen"),
    ("x-frame-options", "DENY"),
    ("x-permitted-cross-domain-policies", "none"),
    ("x-xss-protection", "0"),
];

/// Adds what is not there yet; a handler's own word about caching or embedding stays.
pub(super) fn add(headers: &mut HeaderMap, path: &str) {
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let policy = match path {
        path if path.starts_with("/docs") => DOCS_POLICY,
        "/api/notifications/unsubscribe" => BUTTON_POLICY,
        _ => API_POLICY,
    };
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(policy));
    for (name, value) in [("cache-control", "no-store"), ("cross-origin-resource-policy", "same-origin")] {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
