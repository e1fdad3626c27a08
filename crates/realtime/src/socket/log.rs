//! What clients that were cut off may still get: the last events of a namespace, and who is away.
//!
//! A recovery is whole or it is none. Whatever falls out of the bounds, a client that needs it starts afresh.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::config::RecoveryConfig;
use crate::engine::packets::Packets;
use crate::id::{self, Id};
use crate::socket::broadcast::Audience;

/// Whom a kept event was for.
#[derive(Debug, Clone)]
pub(crate) enum Addressee {
    Audience(Audience),
    Socket(Id),
}

/// The events of a namespace, numbered without gaps, and the sockets that may come back.
pub(crate) struct Log {
    config: RecoveryConfig,
    epoch: String,
    /// The number of the first that is kept.
    first: u64,
    events: VecDeque<Kept>,
    bytes: usize,
    absent: HashMap<Id, Absent>,
    /// In the order of their going, for forgetting.
    goings: VecDeque<(Instant, Id)>,
}

struct Kept {
    at: Instant,
    addressee: Addressee,
    packets: Arc<Packets>,
}

/// A socket that was cut off.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    pub(crate) secret: Id,
    pub(crate) identity: Box<str>,
    /// The rooms that its admission gave it, and those that it joined later.
    pub(crate) granted: Vec<Arc<str>>,
    pub(crate) joined: Vec<Arc<str>>,
    pub(crate) since: Instant,
}

impl Log {
    pub(crate) fn new(config: RecoveryConfig) -> Self {
        Self {
            config,
            epoch: id::epoch(),
            first: 0,
            events: VecDeque::new(),
            bytes: 0,
            absent: HashMap::new(),
            goings: VecDeque::new(),
        }
    }

    /// What the next event's offset will be.
    pub(crate) fn next_offset(&self) -> String {
        format!("{}-{}", self.epoch, self.next())
    }

    fn next(&self) -> u64 {
        self.first + u64::try_from(self.events.len()).unwrap_or_default()
    }

    /// Keeps an event under the next offset.
    pub(crate) fn keep(&mut self, addressee: Addressee, packets: Arc<Packets>, at: Instant) {
        self.bytes += packets.wire().len();
        self.events.push_back(Kept { at, addressee, packets });
        while let Some(oldest) = self.events.front()
            && (self.events.len() > self.config.max_events
                || self.bytes > self.config.max_bytes
                || at.saturating_duration_since(oldest.at) > self.config.window)
        {
            self.bytes -= oldest.packets.wire().len();
            self.events.pop_front();
            self.first += 1;
        }
    }

    /// Remembers a socket that was cut off.
    pub(crate) fn remember(&mut self, id: Id, absent: Absent) {
        let now = absent.since;
        while let Some((since, oldest)) = self.goings.front().copied()
            && (self.goings.len() >= self.config.max_absent
                || now.saturating_duration_since(since) > self.config.window)
        {
            self.goings.pop_front();
            // It may have come back and gone again since.
            if self.absent.get(&oldest).is_some_and(|one| one.since == since) {
                self.absent.remove(&oldest);
            }
        }
        self.goings.push_back((now, id));
        self.absent.insert(id, absent);
    }

    /// Remembers again a socket that was recalled, and did not come back after all.
    pub(crate) fn put_back(&mut self, id: Id, absent: Absent) {
        // Its going is still noted: nothing was remembered meanwhile.
        self.absent.insert(id, absent);
    }

    /// What a socket missed since an offset. Afterwards it is not absent any more, whether or not this succeeds.
    pub(crate) fn recall(
        &mut self,
        id: Id,
        secret: Id,
        offset: &str,
        now: Instant,
    ) -> Option<(Absent, Vec<Arc<Packets>>)> {
        self.absent.get(&id).filter(|absent| absent.secret.is(secret))?;
        let absent = self.absent.remove(&id)?;
        if now.saturating_duration_since(absent.since) > self.config.window {
            return None;
        }
        let (epoch, number) = offset.rsplit_once('-')?;
        let wanted = number.parse::<u64>().ok()?.checked_add(1)?;
        if epoch != self.epoch || wanted < self.first || wanted > self.next() {
            return None;
        }
        let skipped = usize::try_from(wanted - self.first).ok()?;
        let rooms = [&absent.granted[..], &absent.joined[..]].concat();
        let missed = self.events.iter().skip(skipped).filter(|kept| match &kept.addressee {
            Addressee::Socket(one) => *one == id,
            Addressee::Audience(audience) => audience.includes(id, &rooms),
        });
        let missed = missed.map(|kept| Arc::clone(&kept.packets)).collect();
        Some((absent, missed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn log(config: RecoveryConfig, events: usize, at: Instant) -> (Log, Vec<String>) {
        let mut log = Log::new(config);
        let mut offsets = Vec::new();
        for number in 0..events {
            offsets.push(log.next_offset());
            let addressee = Addressee::Audience(Audience::default());
            log.keep(addressee, Packets::new(format!("4{number}").as_bytes(), &[]), at);
        }
        (log, offsets)
    }

    fn absent(since: Instant) -> Absent {
        Absent { secret: Id::random(), identity: "a".into(), granted: Vec::new(), joined: Vec::new(), since }
    }

    #[test]
    fn what_was_missed_is_all_or_nothing() {
        let now = Instant::now();
        let config = RecoveryConfig { max_events: 10, ..RecoveryConfig::default() };
        let (mut log, offsets) = log(config, 25, now);
        for (number, offset) in offsets.iter().enumerate() {
            let (id, absent) = (Id::random(), absent(now));
            log.remember(id, absent.clone());
            let missed = log.recall(id, absent.secret, offset, now).map(|(_, missed)| missed.len());
            assert_eq!(missed, (number >= 14).then_some(24 - number), "after {number}");
        }
    }

    #[test]
    fn only_the_same_socket_in_time_with_an_offset_of_this_process_recovers() {
        let now = Instant::now();
        let (mut log, offsets) = log(RecoveryConfig::default(), 3, now);
        let (id, one) = (Id::random(), absent(now));
        log.remember(id, one.clone());
        assert!(log.recall(Id::random(), one.secret, &offsets[0], now).is_none());
        assert!(log.recall(id, Id::random(), &offsets[0], now).is_none());
        assert!(log.recall(id, one.secret, &offsets[0], now).is_some());
        assert!(log.recall(id, one.secret, &offsets[0], now).is_none(), "once");
        for wrong in ["", "x", "other-1", &offsets[2].replace('2', "3"), "-1"] {
            log.remember(id, one.clone());
            assert!(log.recall(id, one.secret, wrong, now).is_none(), "{wrong}");
        }
        log.remember(id, one.clone());
        assert!(log.recall(id, one.secret, &offsets[0], now + Duration::from_secs(121)).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded_by_bytes_and_time_and_heads() {
        let now = Instant::now();
        let config = RecoveryConfig { max_bytes: 30, max_absent: 5, ..RecoveryConfig::default() };
        let (mut log, _) = log(config, 1_000, now);
        assert!(log.bytes <= 30 && log.events.len() < 10);
        for _ in 0..100 {
            log.remember(Id::random(), absent(now));
        }
        assert_eq!((log.absent.len(), log.goings.len()), (5, 5));
        log.keep(Addressee::Socket(Id::random()), Packets::binary(b"x"), now + Duration::from_secs(500));
        assert_eq!(log.events.len(), 1);
    }
}
