//! Packets on their way out: framed once, shared by everybody who gets them.

use std::sync::Arc;

use actix_http::ws::{OpCode, Parser};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};

/// What separates packets in a polling payload (Engine.IO v4).
pub(crate) const SEPARATOR: u8 = 0x1e;

/// One or several packets, as the bytes of WebSocket frames. A polling client gets the same parts, unframed.
#[derive(Debug)]
pub(crate) struct Packets {
    wire: Bytes,
    parts: Box<[Part]>,
}

/// Where a packet stands in the wire's bytes, without its frame's head.
#[derive(Debug, Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
    is_binary: bool,
}

impl Packets {
    /// A packet of text: its type's digit and what follows. Then the binary messages that belong to it.
    pub(crate) fn new(text: &[u8], attachments: &[Bytes]) -> Arc<Self> {
        let size = attachments.iter().map(|one| one.len() + 10).sum::<usize>() + text.len() + 10;
        let mut wire = BytesMut::with_capacity(size);
        let mut parts = Vec::with_capacity(1 + attachments.len());
        parts.push(frame(&mut wire, text, OpCode::Text));
        parts.extend(attachments.iter().map(|one| frame(&mut wire, one, OpCode::Binary)));
        Arc::new(Self { wire: wire.freeze(), parts: parts.into() })
    }

    /// A binary message alone.
    pub(crate) fn binary(data: &[u8]) -> Arc<Self> {
        let mut wire = BytesMut::with_capacity(data.len() + 10);
        let part = frame(&mut wire, data, OpCode::Binary);
        Arc::new(Self { wire: wire.freeze(), parts: Box::new([part]) })
    }

    /// Several as one, in their order: a client that gets them all then has one entry in its queue.
    pub(crate) fn joined(all: &[Arc<Self>]) -> Arc<Self> {
        let mut wire = BytesMut::with_capacity(all.iter().map(|one| one.wire.len()).sum());
        let mut parts = Vec::with_capacity(all.iter().map(|one| one.parts.len()).sum());
        for one in all {
            let offset = wire.len();
            wire.extend_from_slice(&one.wire);
            parts.extend(one.parts.iter().map(|part| Part {
                start: part.start + offset,
                end: part.end + offset,
                is_binary: part.is_binary,
            }));
        }
        Arc::new(Self { wire: wire.freeze(), parts: parts.into() })
    }

    /// The frames.
    pub(crate) const fn wire(&self) -> &Bytes {
        &self.wire
    }

    /// How many packets these are.
    pub(crate) fn count(&self) -> usize {
        self.parts.len()
    }

    /// Appends the packets as a polling payload.
    pub(crate) fn write_payload(&self, payload: &mut Vec<u8>) {
        for part in &self.parts {
            if !payload.is_empty() {
                payload.push(SEPARATOR);
            }
            let data = self.wire.get(part.start..part.end).unwrap_or_default();
            if part.is_binary {
                payload.push(b'b');
                payload.extend_from_slice(STANDARD.encode(data).as_bytes());
            } else {
                payload.extend_from_slice(data);
            }
        }
    }
}

/// Appends one unmasked frame, as a server sends them.
fn frame(wire: &mut BytesMut, data: &[u8], code: OpCode) -> Part {
    Parser::write_message(wire, data, code, true, false);
    Part { start: wire.len() - data.len(), end: wire.len(), is_binary: matches!(code, OpCode::Binary) }
}

/// A close frame with a code and no words (RFC 6455, 5.5.1).
pub(crate) fn close_frame(code: u16) -> Bytes {
    let mut frame = BytesMut::with_capacity(4);
    frame.put_slice(&[0x88, 2]);
    frame.put_u16(code);
    frame.freeze()
}

/// The answer to a WebSocket ping, with its data (RFC 6455, 5.5.3).
pub(crate) fn pong_frame(data: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(data.len() + 2);
    Parser::write_message(&mut frame, data, OpCode::Pong, true, false);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(packets: &Packets) -> Vec<u8> {
        let mut payload = Vec::new();
        packets.write_payload(&mut payload);
        payload
    }

    #[test]
    fn a_packet_is_framed_for_websockets_and_plain_for_polling() {
        let packets = Packets::new(b"4hi", &[Bytes::from_static(&[1, 2, 3, 4])]);
        assert_eq!(packets.wire()[..], [0x81, 3, b'4', b'h', b'i', 0x82, 4, 1, 2, 3, 4]);
        assert_eq!(payload(&packets), b"4hi\x1ebAQIDBA==");
        assert_eq!(packets.count(), 2);
    }

    #[test]
    fn joined_packets_are_those_one_after_the_other() {
        for long in [1, 125, 126, 65_535, 65_536] {
            let first = Packets::new(&vec![b'4'; long], &[]);
            let second = Packets::binary(&[7; 300]);
            let both = Packets::joined(&[Arc::clone(&first), Arc::clone(&second)]);
            assert_eq!(both.wire()[..], [&first.wire()[..], &second.wire()[..]].concat());
            assert_eq!(payload(&both), [payload(&first), payload(&second)].join(&SEPARATOR));
        }
    }
}
