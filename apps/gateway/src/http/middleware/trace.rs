//! Names for a request: its id, and the trace it belongs to (W3C Trace Context).

use actix_web::http::header::HeaderMap;
use kernel::Ambient;

/// The client's own id for the request if it is a plain one, else a fresh one. Anything else would let a client
/// write into our log.
pub(super) fn request_id(headers: &HeaderMap, ambient: &Ambient) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    match given {
        Some(id)
            if (8..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) =>
        {
            id.to_owned()
        }
        _ => ambient.new_uuid().to_string(),
    }
}

/// The trace id of a `traceparent` header of version 00, if it is well formed.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let well_formed = version == "00" && is_hex(trace, 32) && is_hex(parent, 16) && is_hex(flags, 2);
    (well_formed && parts.next().is_none() && trace.bytes().any(|b| b != b'0')).then_some(trace)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn only_a_plain_request_id_is_taken_over() {
        let ambient = Ambient::system();
        assert_eq!(request_id(&headers("x-request-id", "abc-12345"), &ambient), "abc-12345");
        for bad in ["short", "with space in it", &"x".repeat(65), "semi;colon;abc"] {
            assert_ne!(request_id(&headers("x-request-id", bad), &ambient), bad);
        }
    }

    #[test]
    fn only_a_well_formed_traceparent_counts() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(trace_id(&headers("traceparent", good)), Some("0af7651916cd43dd8448eb211c80319c"));
        for bad in
            ["", "00-xyz-b7ad6b7169203331-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]
        {
            assert_eq!(trace_id(&headers("traceparent", bad)), None);
        }
    }
}
