//! Redis between processes: publish and subscribe on one channel.
//!
//! Redis keeps nothing here, so what is published while it is away, or while a process is not connected, is lost for
//! the other processes. [`Redis::state`] tells when that may have happened, so that the application can let its clients
//! fetch what they missed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use redis::aio::{MultiplexedConnection, PubSubSink};
use redis::{AsyncConnectionConfig, Client, Msg, RedisError};
use tokio::sync::{mpsc, watch};

use crate::backplane::{Backplane, Receive};
use crate::id::Id;

/// Settings of the backplane.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// The channel that all processes of a deployment share. Default: `realtime`.
    pub channel: String,
    /// How long connecting, and an answer, may take. Default: 1 s.
    pub timeout: Duration,
    /// Bytes that may wait to be published; more is dropped. Default: 8 MiB.
    pub max_queue: usize,
    /// Before the first try to connect again; doubled with each. Default: 50 ms.
    pub first_wait: Duration,
    /// The longest wait between tries. Default: 2 s.
    pub longest_wait: Duration,
    /// Between two checks that the connection lives. Default: 2 s.
    pub check_every: Duration,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            channel: "realtime".to_owned(),
            timeout: Duration::from_secs(1),
            max_queue: 8 * 1024 * 1024,
            first_wait: Duration::from_millis(50),
            longest_wait: Duration::from_secs(2),
            check_every: Duration::from_secs(2),
        }
    }
}

/// How the backplane stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RedisState {
    /// Whether messages pass in both directions.
    pub is_connected: bool,
    /// How often it was interrupted so far. When this has grown and `is_connected` is true again, clients may have
    /// missed events of other processes, and should fetch what they show.
    pub interruptions: u64,
}

/// The backplane over Redis. Clones are the same one.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    config: RedisConfig,
    /// What the own messages begin with.
    own: String,
    sender: mpsc::UnboundedSender<Vec<u8>>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Vec<u8>>>>,
    /// Bytes that wait in the channel.
    queued: AtomicUsize,
    state: watch::Sender<RedisState>,
    unpublished: metrics::Counter,
}

impl Redis {
    /// For a server such as `redis://127.0.0.1:6379`, or `rediss://` for TLS. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the address cannot be read.
    pub fn new(url: &str, config: RedisConfig) -> Result<Self, RedisError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        Ok(Self(Arc::new(Inner {
            client: Client::open(url)?,
            config,
            own: Id::random().to_string(),
            sender,
            receiver: Mutex::new(Some(receiver)),
            queued: AtomicUsize::new(0),
            state: watch::Sender::new(RedisState::default()),
            unpublished: metrics::counter!("realtime_unpublished_total"),
        })))
    }

    /// How it stands, and every change of it.
    pub fn state(&self) -> watch::Receiver<RedisState> {
        self.0.state.subscribe()
    }
}

impl Backplane for Redis {
    fn start(&self, receive: Receive) {
        let receiver = self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (receiver, tokio::runtime::Handle::try_current()) {
            (Some(receiver), Ok(runtime)) => {
                drop(runtime.spawn(Arc::clone(&self.0).run(receiver, receive)));
            }
            _ => tracing::error!("the backplane was started twice, or outside a runtime: it stays off"),
        }
    }

    fn publish(&self, message: Vec<u8>) {
        let inner = &self.0;
        let length = message.len();
        let is_connected = inner.state.borrow().is_connected;
        if !is_connected || inner.queued.load(Ordering::Acquire) + length > inner.config.max_queue {
            inner.unpublished.increment(1);
            return;
        }
        inner.queued.fetch_add(length, Ordering::AcqRel);
        if inner.sender.send(message).is_err() {
            inner.unpublished.increment(1);
        }
    }
}

impl Inner {
    /// Keeps it connected for ever.
    async fn run(self: Arc<Self>, mut receiver: mpsc::UnboundedReceiver<Vec<u8>>, receive: Receive) {
        let mut wait = self.config.first_wait;
        loop {
            match self.connect().await {
                Ok((connection, sink, messages)) => {
                    self.state.send_modify(|state| state.is_connected = true);
                    tracing::info!("the backplane is connected");
                    wait = self.config.first_wait;
                    tokio::select! {
                        () = self.publish_all(connection, &mut receiver) => {}
                        () = self.receive_all(messages, &receive) => {}
                        () = self.check(sink) => {}
                    }
                    self.note_interruption();
                }
                Err(error) => {
                    if self.state.borrow().interruptions == 0 {
                        self.note_interruption();
                    }
                    // The kind alone: the address may hold a password.
                    tracing::warn!(kind = ?error.kind(), "the backplane cannot be connected");
                }
            }
            while let Ok(message) = receiver.try_recv() {
                self.queued.fetch_sub(message.len(), Ordering::AcqRel);
                self.unpublished.increment(1);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(self.config.longest_wait);
        }
    }

    fn note_interruption(&self) {
        self.state.send_modify(|state| {
            state.is_connected = false;
            state.interruptions += 1;
        });
        tracing::warn!("the backplane is interrupted: events reach the sockets of this process alone");
    }

    async fn connect(
        &self,
    ) -> Result<(MultiplexedConnection, PubSubSink, impl Stream<Item = Msg> + use<>), RedisError> {
        let timeout = self.config.timeout;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let subscribe = async {
            let mut subscription = self.client.get_async_pubsub().await?;
            subscription.subscribe(&self.config.channel).await?;
            Ok::<_, RedisError>(subscription.split())
        };
        let (sink, messages) = tokio::time::timeout(timeout, subscribe)
            .await
            .map_err(|_elapsed| RedisError::from((redis::ErrorKind::Io, "no answer in time")))??;
        Ok((connection, sink, messages))
    }

    /// Publishes what waits, as much as there is at once, until Redis fails.
    async fn publish_all(
        &self,
        mut connection: MultiplexedConnection,
        receiver: &mut mpsc::UnboundedReceiver<Vec<u8>>,
    ) {
        let mut batch = Vec::new();
        while receiver.recv_many(&mut batch, 256).await > 0 {
            let mut pipeline = redis::pipe();
            for message in batch.drain(..) {
                self.queued.fetch_sub(message.len(), Ordering::AcqRel);
                let payload = [self.own.as_bytes(), message.as_slice()].concat();
                pipeline.cmd("PUBLISH").arg(&self.config.channel).arg(payload).ignore();
            }
            let published: Result<(), RedisError> = pipeline.query_async(&mut connection).await;
            if published.is_err() {
                self.unpublished.increment(1);
                return;
            }
        }
    }

    /// Gives on what the others publish, until the subscription ends.
    async fn receive_all(&self, messages: impl Stream<Item = Msg>, receive: &Receive) {
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = messages.next().await {
            let payload = message.get_payload_bytes();
            if let Some((from, message)) = payload.split_at_checked(self.own.len())
                && from != self.own.as_bytes()
            {
                receive(message);
            }
        }
    }

    /// Ends when Redis does not answer: a connection can be dead without having been closed.
    async fn check(&self, mut sink: PubSubSink) {
        loop {
            tokio::time::sleep(self.config.check_every).await;
            let ping = tokio::time::timeout(self.config.timeout, sink.ping::<redis::Value>()).await;
            if !matches!(ping, Ok(Ok(_))) {
                return;
            }
        }
    }
}
