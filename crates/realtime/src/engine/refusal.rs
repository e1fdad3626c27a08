//! Why a request is refused, as the Engine.IO server of reference tells it: a code, a message, 400 or 403.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

use crate::meters;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    UnknownTransport,
    UnknownSid,
    BadMethod,
    BadRequest(&'static str),
    /// The name of the parameter that must not be in the query.
    SecretInQuery(String),
    Forbidden,
    UnsupportedVersion,
    TooLarge,
    TooSlow,
    /// While its body was read.
    Ended,
    Full,
    FullForPeer,
}

impl Refusal {
    const fn code(&self) -> u8 {
        match self {
            Self::UnknownTransport => 0,
            Self::UnknownSid | Self::Ended => 1,
            Self::BadMethod => 2,
            Self::BadRequest(_)
            | Self::SecretInQuery(_)
            | Self::TooLarge
            | Self::TooSlow
            | Self::Full
            | Self::FullForPeer => 3,
            Self::Forbidden => 4,
            Self::UnsupportedVersion => 5,
        }
    }

    const fn label(&self) -> &'static str {
        match self {
            Self::UnknownTransport => "unknown_transport",
            Self::UnknownSid => "unknown_sid",
            Self::BadMethod => "bad_method",
            Self::BadRequest(_) => "bad_request",
            Self::SecretInQuery(_) => "secret_in_query",
            Self::Forbidden => "forbidden",
            Self::UnsupportedVersion => "unsupported_version",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Ended => "ended",
            Self::Full => "full",
            Self::FullForPeer => "full_for_peer",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
            Self::FullForPeer => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> String {
        match self {
            Self::UnknownTransport => "Transport unknown".to_owned(),
            Self::UnknownSid => "Session ID unknown".to_owned(),
            Self::BadMethod => "Bad handshake method".to_owned(),
            Self::BadRequest(why) => (*why).to_owned(),
            Self::SecretInQuery(name) => {
                format!("`{name}` must not be in the query: send it in the payload of CONNECT")
            }
            Self::Forbidden => "Forbidden".to_owned(),
            Self::UnsupportedVersion => "Unsupported protocol version".to_owned(),
            Self::TooLarge => "Payload too large".to_owned(),
            Self::TooSlow => "The body did not come in time".to_owned(),
            Self::Ended => "The session has ended".to_owned(),
            Self::Full => "Too many connections".to_owned(),
            Self::FullForPeer => "Too many connections from this address".to_owned(),
        }
    }

    pub(crate) fn respond(&self) -> HttpResponse {
        meters::refused(self.label());
        let mut response = HttpResponse::build(self.status());
        if matches!(self, Self::TooSlow | Self::Ended) {
            // The rest of the body is not waited for.
            response.force_close();
        }
        response.json(json!({"code": self.code(), "message": self.message()}))
    }
}
