//! What is done in the background: the handlers of jobs, and when each is due.

mod clean_up;
mod expire_listings;

use std::sync::LazyLock;

use store::{JobError, Schedule, Worker, WorkerConfig};

use crate::{FlowError, Marketplace};

/// The schedules, in Indian time. Their patterns are constants, and a test reads each.
static SCHEDULES: LazyLock<Vec<Schedule>> = LazyLock::new(|| {
    [(expire_listings::KIND, "0 * * * *"), (clean_up::KIND, "20 * * * *")]
        .into_iter()
        .filter_map(|(kind, pattern)| Schedule::new(kind, pattern).ok())
        .collect()
});

/// When each job is due.
pub fn schedules() -> Vec<Schedule> {
    SCHEDULES.clone()
}

/// A worker that can do every job there is.
pub fn worker(market: &Marketplace) -> Worker {
    Worker::new(market.db.clone(), market.ambient.clone(), WorkerConfig::default())
        .with(expire_listings::ExpireListings::new(market))
        .with(clean_up::CleanUp::new(market))
}

/// A flow's failure as a job's: the database may come back, and so may everything else that is not our own fault.
fn failed(error: impl Into<FlowError>) -> JobError {
    match error.into() {
        FlowError::Store(error) => JobError::Store(error),
        other => JobError::Retry(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_schedule_can_be_read() {
        assert_eq!(super::schedules().len(), 2);
    }
}
