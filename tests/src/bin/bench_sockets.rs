//! The load of `make bench` on Socket.IO servers: many sockets in one room, one emitter, some broadcasts in flight.
//!
//! Works on whatever speaks the protocol and answers the event `go` with a broadcast to everybody in the room. The
//! frames are read by hand, so that this client is not what is measured. Prints one line of JSON.

use std::collections::VecDeque;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// Measures a Socket.IO server.
#[derive(Debug, Parser)]
struct Cli {
    /// Where the server listens, such as 127.0.0.1:3000.
    #[arg(long)]
    address: String,
    /// Its process, whose CPU and memory are read.
    #[arg(long)]
    server_pid: u32,
    /// Sockets in the room.
    #[arg(long, default_value_t = 500)]
    sockets: usize,
    /// Broadcasts in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_value = "1,4,16")]
    in_flight: Vec<usize>,
    /// Of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Before each measurement.
    #[arg(long, default_value_t = 2)]
    warm_up: u64,
    /// How long the sockets are left idle before the server's memory is read.
    #[arg(long, default_value_t = 3)]
    settle: u64,
}

/// One socket's side of the measurement: tells when a broadcast has come.
struct Listener {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    buffer: Vec<u8>,
}

/// A broadcast under way.
struct Flight {
    sent: Instant,
    missing: AtomicUsize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let before = resident_kib(cli.server_pid)?;
    let mut listeners = Vec::with_capacity(cli.sockets);
    while listeners.len() < cli.sockets {
        let batch = (0..50.min(cli.sockets - listeners.len())).map(|_| Listener::connect(&cli.address));
        for listener in futures_util::future::join_all(batch).await {
            listeners.push(listener?);
        }
    }
    tokio::time::sleep(Duration::from_secs(cli.settle)).await;
    let idle_kib = (resident_kib(cli.server_pid)? - before) / whole(cli.sockets)?;
    let mut emitter = Listener::connect(&cli.address).await?;
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    for listener in listeners {
        drop(tokio::spawn(listener.listen(sender.clone())));
    }
    let mut results = Vec::new();
    for in_flight in &cli.in_flight {
        let mut room = Room { sockets: cli.sockets, flights: VecDeque::new(), emitter: &mut emitter };
        room.run(*in_flight, Duration::from_secs(cli.warm_up), &mut arrivals).await?;
        let cpu = cpu_seconds(cli.server_pid)?;
        let began = Instant::now();
        let mut latencies = room.run(*in_flight, Duration::from_secs(cli.seconds), &mut arrivals).await?;
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_seconds(cli.server_pid)? - cpu;
        let deliveries = whole(latencies.len())? * whole(cli.sockets)?;
        latencies.sort_unstable();
        let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
        results.push(json!({
            "in_flight": in_flight, "deliveries": deliveries, "seconds": seconds, "server_cpu_s": cpu,
            "per_second": deliveries / seconds, "per_cpu_second": deliveries / cpu,
            "p50_ms": at(50).as_secs_f64() * 1e3, "p99_ms": at(99).as_secs_f64() * 1e3,
        }));
    }
    let after_kib = (resident_kib(cli.server_pid)? - before) / whole(cli.sockets)?;
    let report = json!({
        "sockets": cli.sockets, "idle_kib_per_socket": idle_kib, "loaded_kib_per_socket": after_kib, "results": results,
    });
    writeln!(std::io::stdout().lock(), "{report}")?;
    Ok(())
}

fn whole(count: usize) -> anyhow::Result<f64> {
    Ok(f64::from(u32::try_from(count)?))
}

struct Room<'a> {
    sockets: usize,
    flights: VecDeque<Flight>,
    emitter: &'a mut Listener,
}

impl Room<'_> {
    /// Keeps so many broadcasts in flight for a while, and lets the last ones arrive. Gives, for each, the time until
    /// its last socket had it.
    async fn run(
        &mut self,
        in_flight: usize,
        time: Duration,
        arrivals: &mut mpsc::UnboundedReceiver<Arrival>,
    ) -> anyhow::Result<Vec<Duration>> {
        let end = Instant::now() + time;
        let mut latencies = Vec::new();
        for _ in 0..in_flight {
            self.send().await?;
        }
        let mut counts: Vec<u32> = Vec::new();
        let mut done = 0;
        let mut batch = Vec::new();
        while !self.flights.is_empty() {
            ensure!(arrivals.recv_many(&mut batch, 1024).await > 0, "every socket is gone");
            for arrival in batch.drain(..) {
                let Arrival { socket, count } = arrival;
                if counts.len() <= socket {
                    counts.resize(socket + 1, 0);
                }
                let seen = counts.get_mut(socket).context("a socket without a number")?;
                for number in *seen..*seen + count {
                    let at = usize::try_from(number)?.checked_sub(done).context("a broadcast came twice")?;
                    let flight = self.flights.get(at).context("a broadcast that nobody sent")?;
                    flight.missing.fetch_sub(1, Ordering::Relaxed);
                }
                *seen += count;
            }
            while self.flights.front().is_some_and(|flight| flight.missing.load(Ordering::Relaxed) == 0) {
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
        self.flights.push_back(Flight { sent: Instant::now(), missing: AtomicUsize::new(self.sockets) });
        self.emitter.send(b"42[\"go\"]").await
    }
}

/// A socket got so many broadcasts.
struct Arrival {
    socket: usize,
    count: u32,
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

impl Listener {
    /// Connects over WebSocket and joins the main namespace.
    async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let mut listener = Self { reader, writer, buffer: Vec::new() };
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        listener.writer.write_all(request.as_bytes()).await?;
        let end = loop {
            if let Some(at) = listener.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            listener.read().await?;
        };
        ensure!(listener.buffer.starts_with(b"HTTP/1.1 101"), "the server does not speak WebSocket");
        listener.buffer.drain(..end);
        listener.send(b"40").await?;
        loop {
            while let Some(frame) = listener.frame() {
                if frame.starts_with(b"40") {
                    return Ok(listener);
                }
            }
            listener.read().await?;
        }
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        ensure!(self.reader.read_buf(&mut self.buffer).await? > 0, "the server closed a connection");
        Ok(())
    }

    /// Takes the next frame's data, if it is there in full.
    fn frame(&mut self) -> Option<Vec<u8>> {
        let (data, length) = next_frame(&self.buffer)?;
        let data = data.to_vec();
        self.buffer.drain(..length);
        Some(data)
    }

    /// Sends a short text, masked with zeros.
    async fn send(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len())?, 0, 0, 0, 0];
        frame.extend_from_slice(text);
        self.writer.write_all(&frame).await?;
        Ok(())
    }

    /// Counts broadcasts and answers pings until the connection ends.
    async fn listen(mut self, arrivals: mpsc::UnboundedSender<Arrival>) -> anyhow::Result<()> {
        let socket = NEXT.fetch_add(1, Ordering::Relaxed);
        loop {
            let (mut at, mut count, mut is_pinged) = (0, 0, false);
            while let Some((data, length)) = next_frame(self.buffer.get(at..).unwrap_or_default()) {
                count += u32::from(data.starts_with(b"42"));
                is_pinged |= data == b"2";
                at += length;
            }
            self.buffer.drain(..at);
            if count > 0 {
                arrivals.send(Arrival { socket, count })?;
            }
            if is_pinged {
                self.send(b"3").await?;
            }
            self.read().await?;
        }
    }
}

/// The data of the first frame, and the length of all of it. A server's frames are unmasked (RFC 6455, 5.1).
fn next_frame(buffer: &[u8]) -> Option<(&[u8], usize)> {
    let (head, length) = match usize::from(*buffer.get(1)?) {
        126 => (4, usize::from(u16::from_be_bytes([*buffer.get(2)?, *buffer.get(3)?]))),
        127 => return None,
        length => (2, length),
    };
    Some((buffer.get(head..head + length)?, head + length))
}

/// CPU time of a process so far, of its threads together.
fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat")))?;
    let (_, fields) = text.rsplit_once(')').context("no name in stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).context("a short stat")?.parse::<f64>().context("ticks");
    // Linux counts them a hundred to the second for whoever looks.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

fn resident_kib(pid: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS")
}
