//! What is counted. No label tells an id; the recorder must be installed before the first [`Meters::new`].

use metrics::Counter;

use crate::reason::Reason;

/// The counters of all connections of a process, registered once: an increment is then one atomic addition.
pub(crate) struct Meters {
    pub(crate) opened_polling: Counter,
    pub(crate) opened_websocket: Counter,
    pub(crate) upgraded: Counter,
    pub(crate) packets_in: Counter,
    pub(crate) packets_out: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) dropped: Counter,
    pub(crate) recovered: Counter,
    pub(crate) not_recovered: Counter,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            opened_polling: metrics::counter!("realtime_opened_total", "transport" => "polling"),
            opened_websocket: metrics::counter!("realtime_opened_total", "transport" => "websocket"),
            upgraded: metrics::counter!("realtime_upgrades_total"),
            packets_in: metrics::counter!("realtime_packets_total", "direction" => "in"),
            packets_out: metrics::counter!("realtime_packets_total", "direction" => "out"),
            bytes_in: metrics::counter!("realtime_bytes_total", "direction" => "in"),
            bytes_out: metrics::counter!("realtime_bytes_total", "direction" => "out"),
            dropped: metrics::counter!("realtime_volatile_dropped_total"),
            recovered: metrics::counter!("realtime_recoveries_total", "result" => "recovered"),
            not_recovered: metrics::counter!("realtime_recoveries_total", "result" => "fresh"),
        }
    }

    /// Packets went out, in so many bytes.
    pub(crate) fn sent(&self, packets: usize, bytes: usize) {
        self.packets_out.increment(u64::try_from(packets).unwrap_or_default());
        self.bytes_out.increment(u64::try_from(bytes).unwrap_or_default());
    }
}

/// A connection ended.
pub(crate) fn closed(reason: Reason) {
    metrics::counter!("realtime_closed_total", "reason" => reason.as_str()).increment(1);
}

/// A request was refused with a code of the Engine.IO protocol.
pub(crate) fn refused(code: &'static str) {
    metrics::counter!("realtime_refused_total", "code" => code).increment(1);
}
