//! The query of a request, and whether this server takes it.

use std::collections::HashMap;

use actix_web::web;

use crate::config::EngineConfig;
use crate::engine::refusal::Refusal;
use crate::id::Id;

/// How a client talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransportName {
    Polling,
    WebSocket,
}

/// What stands in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) transport: TransportName,
    /// None in a handshake; `Some(None)` when it is no id of ours.
    pub(crate) sid: Option<Option<Id>>,
}

impl Query {
    pub(crate) fn parse(text: &str, config: &EngineConfig) -> Result<Self, Refusal> {
        let pairs = web::Query::<HashMap<String, String>>::from_query(text)
            .map_err(|_error| Refusal::BadRequest("The query cannot be read"))?
            .into_inner();
        let secret = pairs
            .keys()
            .find(|name| config.forbidden_query.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(name)));
        if let Some(name) = secret {
            return Err(Refusal::SecretInQuery(name.clone()));
        }
        let transport = match pairs.get("transport").map(String::as_str) {
            Some("polling") => TransportName::Polling,
            Some("websocket") => TransportName::WebSocket,
            _ => return Err(Refusal::UnknownTransport),
        };
        if pairs.get("EIO").map(String::as_str) != Some("4") {
            return Err(Refusal::UnsupportedVersion);
        }
        if pairs.contains_key("j") {
            return Err(Refusal::BadRequest("JSONP is not supported"));
        }
        Ok(Self { transport, sid: pairs.get("sid").map(|sid| Id::parse(sid)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_or_refused_by_what_is_wrong() {
        let config = EngineConfig::default();
        let id = Id::random();
        for (text, expected) in [
            ("EIO=4&transport=polling", Ok((TransportName::Polling, None))),
            (&format!("EIO=4&transport=websocket&sid={id}"), Ok((TransportName::WebSocket, Some(Some(id))))),
            ("EIO=4&transport=polling&sid=abc", Ok((TransportName::Polling, Some(None)))),
            ("EIO=4", Err(Refusal::UnknownTransport)),
            ("EIO=4&transport=flashsocket", Err(Refusal::UnknownTransport)),
            ("transport=polling", Err(Refusal::UnsupportedVersion)),
            ("EIO=3&transport=polling", Err(Refusal::UnsupportedVersion)),
            ("EIO=4&transport=polling&j=0", Err(Refusal::BadRequest("JSONP is not supported"))),
            ("EIO=4&transport=polling&TOKEN=x", Err(Refusal::SecretInQuery("TOKEN".to_owned()))),
            ("", Err(Refusal::UnknownTransport)),
        ] {
            let got = Query::parse(text, &config).map(|query| (query.transport, query.sid));
            assert_eq!(got, expected, "{text}");
        }
    }
}
