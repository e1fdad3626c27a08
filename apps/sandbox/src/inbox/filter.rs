//! Which messages somebody wants to see: the inbox's query string.

use kernel::{FieldErrors, InvalidInput};
use url::form_urlencoded;

use super::{Channel, Message};

/// What a message must be like; the default lets all of them through.
#[derive(Default)]
pub(crate) struct Filter {
    pub(super) channel: Option<Channel>,
    pub(super) to: Option<String>,
}

impl Filter {
    /// Reads `channel` and `to` from a query string; an empty value asks for nothing.
    ///
    /// # Errors
    /// When there is an unknown channel or an unknown field.
    pub(super) fn parse(query: &str) -> Result<Self, InvalidInput> {
        let mut filter = Self::default();
        let mut errors = FieldErrors::default();
        for (field, value) in form_urlencoded::parse(query.as_bytes()) {
            match field.as_ref() {
                "channel" if value.is_empty() => {}
                "channel" => {
                    filter.channel = Channel::ALL.into_iter().find(|channel| channel.name() == value);
                    if filter.channel.is_none() {
                        errors.add("channel", "unknown_channel", "must be sms, email or push");
                    }
                }
                // A bare `+` in a query string means a blank, and no address has blanks in it.
                "to" => filter.to = Some(value.replace(' ', "+")).filter(|to| !to.is_empty()),
                other => errors.add(other, "unknown_field", "the inbox is filtered by channel and to"),
            }
        }
        errors.finish()?;
        Ok(filter)
    }

    /// Whether the message is wanted. The case of a mail address does not matter.
    pub(super) fn admits(&self, message: &Message) -> bool {
        self.channel.is_none_or(|channel| channel == message.channel)
            && self.to.as_ref().is_none_or(|to| match message.channel {
                Channel::Email => to.eq_ignore_ascii_case(&message.to),
                Channel::Sms | Channel::Push => *to == message.to,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_may_be_written_as_it_is_or_encoded() {
        for query in ["to=%2B919876543210", "to=+919876543210", "channel=&to=+919876543210"] {
            assert_eq!(Filter::parse(query).ok().unwrap().to.as_deref(), Some("+919876543210"));
        }
    }

    #[test]
    fn what_is_unknown_is_named() {
        let refused = Filter::parse("channel=fax&from=me").err().unwrap();
        let fields: Vec<_> = refused.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["channel", "from"]);
    }
}
