//! What is done in the background: the handlers of jobs, and when each is due.

mod announce;
mod clean_up;
mod deliver;
mod expire_listings;
mod fold;
mod lapse_boosts;
mod overdue;
mod poll_orders;
mod poll_refunds;
mod remind;
mod seal;
mod self_check;
mod send_hook;
mod webhooks;

pub(crate) use deliver::deliver_in_txn;
pub use poll_orders::KIND as POLL_ORDERS_JOB;
pub use poll_refunds::KIND as POLL_REFUNDS_JOB;
pub(crate) use send_hook::send_hook_in_txn;

use std::sync::LazyLock;

use notify::Lane;
use store::{JobError, Schedule, Worker, WorkerConfig};

use crate::{FlowError, Marketplace};

/// The schedules, in Indian time. Their patterns are constants, and a test reads each.
static SCHEDULES: LazyLock<Vec<Schedule>> = LazyLock::new(|| {
    [
        (expire_listings::KIND, "0 * * * *"),
        (lapse_boosts::KIND, "5 * * * *"),
        (clean_up::KIND, "20 * * * *"),
        (webhooks::KIND, "* * * * *"),
        (poll_orders::KIND, "* * * * *"),
        (poll_refunds::KIND, "* * * * *"),
        (fold::KIND, "* * * * *"),
        (seal::KIND, "* * * * *"),
        (self_check::KIND, "30 3 * * *"),
        (announce::KIND, "* * * * *"),
        (remind::KIND, "0 9 * * *"),
        (overdue::KIND, "*/5 * * * *"),
    ]
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
    let worker = Worker::new(market.db.clone(), market.ambient.clone(), WorkerConfig::default())
        .with(expire_listings::ExpireListings::new(market))
        .with(lapse_boosts::LapseBoosts::new(market))
        .with(clean_up::CleanUp::new(market))
        .with(webhooks::WorkOffWebhooks::new(market))
        .with(poll_orders::PollOrders::new(market))
        .with(poll_refunds::PollRefunds::new(market))
        .with(fold::Fold::new(market))
        .with(seal::SealJournals::new(market))
        .with(self_check::SelfCheck::new(market))
        .with(announce::Announce::new(market))
        .with(remind::Remind::new(market))
        .with(overdue::Overdue::new(market))
        .with(send_hook::SendHook::new(market));
    Lane::ALL.into_iter().fold(worker, |worker, lane| worker.with(deliver::Deliver::new(market, lane)))
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
    use std::collections::HashSet;

    use notify::Lane;
    use store::WorkerConfig;

    use super::{deliver, send_hook, webhooks};

    #[test]
    fn whatever_waits_for_other_servers_leaves_room_for_everything_else() {
        let lanes = Lane::ALL.map(deliver::job_of);
        let lanes_take: usize = lanes.iter().map(|(_, places)| places).sum();
        let taken = lanes_take + send_hook::PLACES + webhooks::PLACES;
        assert!(taken + 10 <= WorkerConfig::default().concurrency, "{taken}");
        assert_eq!(
            HashSet::from(lanes.map(|(kind, _)| kind)).len(),
            lanes.len(),
            "each lane has a job of its own"
        );
    }

    #[test]
    fn every_schedule_can_be_read() {
        assert_eq!(super::schedules().len(), 12);
    }
}
