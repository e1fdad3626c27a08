//! When a WebSocket's [line](crate::engine::line) may be used: once an answer of the client shows that the HTTP server has
//! nothing left to write, or the two would write into each other. A client that answers what it has not read garbles its
//! own stream and nobody else's.

/// What the HTTP server was given to write last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    Nothing,
    /// The open packet and nothing with it. A client says nothing before it has that (Engine.IO v4).
    Open,
    /// The answer to a probe, which the client answers with `5`.
    Probe,
    /// A ping and nothing with it, which the client answers with `3`.
    Ping,
    Other,
}

impl Given {
    /// After one more chunk, of so many packets; none are in frames of WebSocket's own, and in a probe's answer.
    pub(super) fn and(self, chunk: &[u8], packets: usize) -> Self {
        match (self, chunk) {
            (_, b"\x81\x012") => Self::Ping,
            (_, b"\x81\x063probe") => Self::Probe,
            (Self::Nothing, _) if packets == 1 => Self::Open,
            _ => Self::Other,
        }
    }

    /// Whether this packet of the client's answers it.
    pub(super) fn is_answered_by(self, packet: &[u8]) -> bool {
        match self {
            Self::Open => true,
            Self::Probe => packet == b"5",
            Self::Ping => packet == b"3",
            Self::Nothing | Self::Other => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::packets::Packets;

    fn given(packets: &[&[u8]]) -> Given {
        packets.iter().fold(Given::Nothing, |given, packet| given.and(Packets::new(packet, &[]).wire(), 1))
    }

    #[test]
    fn only_an_answer_to_the_last_thing_shows_that_all_has_been_written() {
        let open = br#"0{"sid":"a"}"#;
        assert!(given(&[open]).is_answered_by(b"40"));
        assert!(given(&[open, b"2"]).is_answered_by(b"3"));
        assert!(given(&[open, b"4hi", b"2"]).is_answered_by(b"3"));
        assert!(given(&[b"3probe"]).is_answered_by(b"5"));
        for (last, packet) in [
            (given(&[]), &b"40"[..]),
            (given(&[open, b"4hi"]), b"40"),
            (given(&[open, b"2"]), b"40"),
            (given(&[open, b"2", b"4hi"]), b"3"),
            (given(&[b"3probe"]), b"40"),
        ] {
            assert!(!last.is_answered_by(packet), "{last:?}");
        }
        let with_more = Packets::joined(&[Packets::new(open, &[]), Packets::new(b"4hi", &[])]);
        assert!(!Given::Nothing.and(with_more.wire(), with_more.count()).is_answered_by(b"40"));
    }
}
