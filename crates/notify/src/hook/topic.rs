//! What an endpoint is told of.

use kernel::ParseError;

/// A kind of event, all kinds that begin alike, or everything: `wallet.updated`, `listing.*`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic(String);

impl Topic {
    /// Reads a topic.
    ///
    /// # Errors
    /// When it is neither dotted words in lower case, nor such words with `.*` behind them, nor `*`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let stem = text.strip_suffix(".*").unwrap_or(text);
        if text.len() <= 64 && (text == "*" || stem.split('.').all(is_word)) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(
            "invalid_topic",
            "must be a kind of event such as wallet.updated, or listing.*, or *",
        ))
    }

    /// Whether it covers a kind of event.
    pub fn covers(&self, kind: &str) -> bool {
        match self.0.strip_suffix('*') {
            // The dot is part of the prefix: `listing.*` does not cover `listings.x`.
            Some(prefix) => kind.starts_with(prefix),
            None => self.0 == kind,
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_covers_what_begins_alike() {
        for (topic, kind, covers) in [
            ("*", "listing.approved", true),
            ("listing.*", "listing.approved", true),
            ("listing.*", "listing.photo.added", true),
            ("listing.*", "listings.approved", false),
            ("listing.*", "listing", false),
            ("wallet.updated", "wallet.updated", true),
            ("wallet.updated", "wallet.updated.twice", false),
        ] {
            assert_eq!(Topic::parse(topic).unwrap().covers(kind), covers, "{topic} {kind}");
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for text in ["", "**", "*.updated", "listing*", ".*", "listing.", "Listing.*", "a b", &"x".repeat(65)]
        {
            assert!(Topic::parse(text).is_err(), "{text}");
        }
    }
}
