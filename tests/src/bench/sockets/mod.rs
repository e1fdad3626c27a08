//! Many sockets in one room and one emitter with some broadcasts in flight, against whatever speaks Socket.IO and
//! answers the event `go` with a broadcast to everybody in the room.

mod listener;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::mpsc;

use listener::Arrival;
pub use listener::{Listener, StuckReader};

/// Connections that are opened side by side.
pub const AT_ONCE: usize = 50;

/// The sockets of a room, and who sends to it.
pub struct Room {
    sockets: usize,
    emitter: Listener,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    flights: VecDeque<Flight>,
}

/// A broadcast under way.
struct Flight {
    sent: Instant,
    missing: usize,
}

/// So many sockets that the server has let in.
///
/// # Errors
/// When it does not let them in.
pub async fn connect(address: &str, sockets: usize) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::with_capacity(sockets);
    while listeners.len() < sockets {
        let batch = (0..AT_ONCE.min(sockets - listeners.len())).map(|_| Listener::connect(address));
        for listener in futures_util::future::join_all(batch).await {
            listeners.push(listener?);
        }
    }
    Ok(listeners)
}

impl Room {
    /// Of these sockets, to which this one sends.
    pub fn new(listeners: Vec<Listener>, emitter: Listener) -> Self {
        let sockets = listeners.len();
        let (sender, arrivals) = mpsc::unbounded_channel();
        for (number, listener) in listeners.into_iter().enumerate() {
            drop(tokio::spawn(listener.listen(number, sender.clone())));
        }
        Self { sockets, emitter, arrivals, flights: VecDeque::new() }
    }

    /// Keeps so many broadcasts in flight for a while, and lets the last ones arrive. Gives, for each, the time until
    /// its last socket had it.
    ///
    /// # Errors
    /// When a connection ends, or a broadcast comes twice.
    pub async fn run(&mut self, in_flight: usize, time: Duration) -> anyhow::Result<Vec<Duration>> {
        let end = Instant::now() + time;
        let mut latencies = Vec::new();
        for _ in 0..in_flight {
            self.send().await?;
        }
        let mut counts: Vec<u32> = vec![0; self.sockets];
        let mut done = 0;
        let mut batch = Vec::new();
        while !self.flights.is_empty() {
            ensure!(self.arrivals.recv_many(&mut batch, 1024).await > 0, "every socket is gone");
            for Arrival { socket, count } in batch.drain(..) {
                let seen = counts.get_mut(socket).context("a socket without a number")?;
                for number in *seen..*seen + count {
                    let at = usize::try_from(number)?.checked_sub(done).context("a broadcast came twice")?;
                    let flight = self.flights.get_mut(at).context("a broadcast that nobody sent")?;
                    flight.missing -= 1;
                }
                *seen += count;
            }
            while self.flights.front().is_some_and(|flight| flight.missing == 0) {
                let flight = self.flights.pop_front().context("a flight")?;
                latencies.push(flight.sent.elapsed());
                done += 1;
                if Instant::now() < end {
                    self.send().await?;
                }
            }
        }
        Ok(latencies)
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        self.flights.push_back(Flight { sent: Instant::now(), missing: self.sockets });
        self.emitter.keep_alive().await?;
        self.emitter.send(b"42[\"go\"]").await
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

/// The time that so many per cent of these do not exceed, in milliseconds.
pub fn percentile(latencies: &mut [Duration], part: usize) -> f64 {
    latencies.sort_unstable();
    let at = latencies.len().saturating_sub(1).min(latencies.len() * part / 100);
    latencies.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
}
