//! What waits for one client, bounded by bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::engine::packets::Packets;

/// What an entry costs beside its bytes, so that a flood of tiny packets is bounded too.
const ENTRY: usize = 32;

/// Bytes that are written at once: several frames become one system call.
pub(crate) const CHUNK: usize = 16 * 1024;

/// Packets in their order. Empty, it holds no memory.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Mostly the only one.
    first: Option<Arc<Packets>>,
    /// Boxed, because nearly every connection has none.
    rest: Option<Box<Rest>>,
}

/// What comes after the first.
#[derive(Debug, Default)]
struct Rest {
    packets: VecDeque<Arc<Packets>>,
    /// With what each costs beside its own.
    bytes: usize,
}

/// What these take of a queue, in bytes.
fn cost(packets: &Packets) -> usize {
    packets.wire().len() + ENTRY
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether these packets would make it longer than it may be. One entry alone always fits.
    pub(crate) fn is_full_for(&self, packets: &Packets, max: usize) -> bool {
        !self.is_empty() && self.bytes() + cost(packets) > max
    }

    fn bytes(&self) -> usize {
        let first = self.first.as_ref().map_or(0, |packets| cost(packets));
        first + self.rest.as_ref().map_or(0, |rest| rest.bytes)
    }

    pub(crate) fn push(&mut self, packets: Arc<Packets>) {
        if self.first.is_none() {
            self.first = Some(packets);
        } else {
            let rest = self.rest.get_or_insert_default();
            rest.bytes += cost(&packets);
            rest.packets.push_back(packets);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn pop(&mut self) -> Option<Arc<Packets>> {
        let packets = self.first.take()?;
        if let Some(rest) = &mut self.rest {
            self.first = rest.packets.pop_front();
            rest.bytes -= self.first.as_ref().map_or(0, |packets| cost(packets));
        }
        if self.first.is_none() {
            self.rest = None;
        }
        Some(packets)
    }

    /// The next bytes for a WebSocket, and how many packets these are: as many as fit into one chunk, and at least one.
    pub(crate) fn take_chunk(&mut self) -> Option<(Bytes, usize)> {
        let first = self.pop()?;
        let fits = |queue: &Self, size: usize| {
            queue.first.as_ref().is_some_and(|next| size + next.wire().len() <= CHUNK)
        };
        if !fits(self, first.wire().len()) {
            return Some((first.wire().clone(), first.count()));
        }
        let mut chunk = BytesMut::with_capacity(CHUNK.min(self.bytes() + first.wire().len()));
        let mut count = first.count();
        chunk.extend_from_slice(first.wire());
        while fits(self, chunk.len())
            && let Some(next) = self.pop()
        {
            chunk.extend_from_slice(next.wire());
            count += next.count();
        }
        Some((chunk.freeze(), count))
    }

    /// The next payload for a polling client, and how many packets these are: whole entries up to `max` bytes, and at
    /// least one.
    pub(crate) fn take_payload(&mut self, max: usize) -> (Vec<u8>, usize) {
        let mut payload = Vec::new();
        let mut count = 0;
        while let Some(next) = &self.first
            && (payload.is_empty() || payload.len() + next.wire().len() * 4 / 3 <= max)
            && let Some(next) = self.pop()
        {
            next.write_payload(&mut payload);
            count += next.count();
        }
        (payload, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_gives_back_in_order_and_in_chunks_what_it_took() {
        let mut queue = Queue::default();
        let mut expected = Vec::new();
        for number in 0..1_000 {
            let packets = Packets::new(format!("4{number}").as_bytes(), &[]);
            expected.extend_from_slice(packets.wire());
            queue.push(packets);
        }
        let mut got = Vec::new();
        while let Some((chunk, count)) = queue.take_chunk() {
            assert!(chunk.len() <= CHUNK && count > 0);
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got, expected);
        assert_eq!((queue.bytes(), queue.rest.is_none()), (0, true));
    }

    #[test]
    fn a_queue_is_full_by_bytes_but_never_for_the_first() {
        let mut queue = Queue::default();
        let large = Packets::binary(&[0; 2_000]);
        assert!(!queue.is_full_for(&large, 1_000));
        queue.push(large);
        let small = Packets::binary(&[0]);
        assert!(queue.is_full_for(&small, 1_000));
        assert!(!queue.is_full_for(&small, 3_000));
        for _ in 0..20 {
            queue.push(Arc::clone(&small));
        }
        assert!(queue.is_full_for(&small, 2_500), "tiny packets count too");
    }
}
