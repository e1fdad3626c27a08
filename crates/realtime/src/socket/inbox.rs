//! What waits for the handlers of a client's namespaces, and the task that works on it.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytestring::ByteString;
use futures_util::FutureExt;

use crate::reason::Reason;
use crate::socket::admission;
use crate::socket::client::Client;
use crate::socket::core::Space;
use crate::socket::namespace::Event;
use crate::socket::socket::Socket;

/// Jobs in the order in which they came. While there is a box, a task works on it, the last job's time included.
#[derive(Default)]
pub(crate) struct Inbox(Option<Box<Driven>>);

/// What nearly no client has at any moment.
#[derive(Default)]
struct Driven {
    jobs: VecDeque<Job>,
    /// Of whoever waits for room.
    reader: Option<Waker>,
}

/// Something for a handler.
pub(crate) enum Job {
    Connect(Arc<Space>, Option<ByteString>),
    Event(Socket, Event),
    Gone(Socket, Reason),
}

impl Inbox {
    /// Takes a job; true when nobody works on them, and the caller must see to it.
    pub(crate) fn push(&mut self, job: Job) -> bool {
        let is_first = self.0.is_none();
        self.0.get_or_insert_default().jobs.push_back(job);
        is_first
    }

    /// The next job. When there is none, the task that asked must end.
    pub(crate) fn next(&mut self) -> Option<Job> {
        let job = self.0.as_mut().and_then(|driven| driven.jobs.pop_front());
        self.wake_reader();
        if job.is_none() {
            self.0 = None;
        }
        job
    }

    /// Whether there is room for one more; whoever asks is woken when there is.
    pub(crate) fn poll_room(&mut self, most: usize, context: &Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(driven) if driven.jobs.len() >= most => {
                driven.reader = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    pub(crate) fn wake_reader(&mut self) {
        if let Some(reader) = self.0.as_mut().and_then(|driven| driven.reader.take()) {
            reader.wake();
        }
    }
}

/// Works on the inbox of a client until it is empty.
pub(crate) async fn drive(client: Arc<Client>) {
    while let Some(job) = client.next_job() {
        let result = AssertUnwindSafe(run(&client, job)).catch_unwind().await;
        if result.is_err() {
            tracing::error!("a handler of a namespace panicked");
            if let Some(connection) = client.connection() {
                connection.end(Reason::ServerDisconnect);
            }
        }
    }
}

async fn run(client: &Arc<Client>, job: Job) {
    match job {
        Job::Connect(space, auth) => admission::decide(client, &space, auth).await,
        // What waited when the client left or was put out is not handled any more.
        Job::Event(socket, event) if socket.is_connected() => {
            socket.space().handler.event(&socket, event).await;
        }
        Job::Event(..) => {}
        Job::Gone(socket, reason) => socket.space().handler.disconnected(&socket, reason).await,
    }
}
