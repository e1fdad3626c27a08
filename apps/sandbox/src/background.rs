//! Work that goes on beside the calls: it outlives the caller who hangs up, and ends when the sandbox stops.

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts tasks on the runtime that the sandbox was started in, and counts them.
pub(crate) struct Background {
    runtime: Handle,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    /// Tasks that end with `stopping`. To be called inside the runtime.
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        let tasks = TaskTracker::new();
        // A closed tracker still takes tasks; it is what lets `wait` end whenever there are none.
        tasks.close();
        Self { runtime: Handle::current(), stopping, tasks }
    }

    /// Starts one. It gives nothing when the sandbox stops first.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let stopping = self.stopping.clone();
        let work = async move { stopping.run_until_cancelled(work).await };
        self.runtime.spawn(self.tasks.track_future(work))
    }

    /// Waits until no task is left.
    pub(crate) async fn idle(&self) {
        self.tasks.wait().await;
    }
}
