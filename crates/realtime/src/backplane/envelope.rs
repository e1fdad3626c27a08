//! How an emit is written for other processes: a line of JSON, then the attachments.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::socket::Args;
use crate::socket::broadcast::Audience;

/// Something for sockets of other processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    namespace: String,
    rooms: Vec<String>,
    except: Vec<String>,
    what: What,
}

/// What happens to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    Emit {
        name: String,
        /// The arguments as JSON, with commas between them.
        list: String,
        is_volatile: bool,
        /// The lengths of the attachments.
        attachments: Vec<usize>,
    },
    Join {
        rooms: Vec<String>,
    },
    Leave {
        rooms: Vec<String>,
    },
    Disconnect {
        close: bool,
    },
}

impl What {
    pub(crate) fn emit(name: &str, args: &Args, is_volatile: bool) -> Self {
        Self::Emit {
            name: name.to_owned(),
            list: args.list().to_owned(),
            is_volatile,
            attachments: args.attachments().iter().map(Bytes::len).collect(),
        }
    }
}

impl Envelope {
    pub(crate) fn new(namespace: &str, audience: &Audience, what: What) -> Self {
        let Audience { rooms, except } = audience.clone();
        Self { namespace: namespace.to_owned(), rooms, except, what }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn audience(&self) -> Audience {
        Audience { rooms: self.rooms.clone(), except: self.except.clone() }
    }

    pub(crate) const fn what(&self) -> &What {
        &self.what
    }

    /// None when it has no JSON form.
    pub(crate) fn encode(&self, attachments: &[Bytes]) -> Option<Vec<u8>> {
        let mut message = serde_json::to_vec(self).ok()?;
        message.push(b'\n');
        for one in attachments {
            message.extend_from_slice(one);
        }
        Some(message)
    }

    /// None when this is nothing that [`Envelope::encode`] wrote.
    pub(crate) fn decode(message: &[u8]) -> Option<(Self, Vec<Bytes>)> {
        let end = message.iter().position(|byte| *byte == b'\n')?;
        let (head, rest) = message.split_at_checked(end)?;
        let envelope: Self = serde_json::from_slice(head).ok()?;
        let mut rest = rest.get(1..)?;
        let mut attachments = Vec::new();
        if let What::Emit { attachments: lengths, .. } = &envelope.what {
            for length in lengths {
                let (one, after) = rest.split_at_checked(*length)?;
                attachments.push(Bytes::copy_from_slice(one));
                rest = after;
            }
        }
        rest.is_empty().then_some((envelope, attachments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_back_and_nothing_else_is_one() {
        let args = Args::one("a\nb").unwrap().and_bytes(&[1, 10, 3][..]).unwrap();
        let audience = Audience { rooms: vec!["r".to_owned()], except: vec!["x".to_owned()] };
        let envelope = Envelope::new("/n", &audience, What::emit("e", &args, true));
        let message = envelope.encode(args.attachments()).unwrap();
        let (read, attachments) = Envelope::decode(&message).unwrap();
        assert_eq!((&read, read.audience()), (&envelope, audience));
        assert_eq!(attachments, args.attachments());
        for wrong in
            [&message[..message.len() - 1], &message[1..], b"", b"{}\n", &[&message[..], b"x"].concat()]
        {
            assert!(Envelope::decode(wrong).is_none());
        }
    }
}
