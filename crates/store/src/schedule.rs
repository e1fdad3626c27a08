//! Jobs at fixed times, once per due time however many instances run.
//!
//! There is no leader. Every instance reckons what is due; the row `(schedule, due time)` is unique, and only the
//! transaction that inserts it writes the job. Due times that passed while nothing ran are made up for by one run
//! for the latest of them, which is what every schedule here wants: they sweep, they do not count.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use croner::Cron;
use croner::errors::CronError;
use kernel::Ambient;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use thiserror::Error;

use crate::{Database, Engine, NewJob, StoreError, enqueue_in_txn, insert_if_absent};

/// Seconds east of UTC in India, all the year round.
const IST_SECONDS: i32 = 19_800;

/// A cron pattern that cannot be read.
#[derive(Debug, Error)]
#[error("the schedule {name} has a pattern that cannot be read: {source}")]
pub struct ScheduleError {
    name: &'static str,
    source: CronError,
}

/// A job kind and when it is due, in Indian time.
#[derive(Debug, Clone)]
pub struct Schedule {
    name: &'static str,
    cron: Cron,
    max_attempts: u32,
}

impl Schedule {
    /// A schedule by its job kind and a cron pattern of five fields, read in Indian time (UTC+05:30).
    ///
    /// # Errors
    /// When the pattern cannot be read.
    pub fn new(job_kind: &'static str, pattern: &str) -> Result<Self, ScheduleError> {
        let cron = pattern.parse::<Cron>().map_err(|source| ScheduleError { name: job_kind, source })?;
        Ok(Self { name: job_kind, cron, max_attempts: 5 })
    }

    /// The latest due time in `(after, now]`.
    fn latest_due(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ist = FixedOffset::east_opt(IST_SECONDS)?;
        let due =
            self.cron.find_previous_occurrence(&now.with_timezone(&ist), true).ok()?.with_timezone(&Utc);
        (due > after).then_some(due)
    }
}

/// Turns due times into jobs.
#[derive(Debug)]
pub struct Scheduler {
    db: Database,
    ambient: Ambient,
    schedules: Vec<Schedule>,
}

impl Scheduler {
    /// A scheduler of the given schedules.
    pub fn new(db: Database, ambient: Ambient, schedules: Vec<Schedule>) -> Self {
        Self { db, ambient, schedules }
    }

    /// Looks at the clock every ten seconds until `stop` completes.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "schedules could not be looked at; trying again");
            }
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(Duration::from_secs(10)) => {}
            }
        }
    }

    /// Writes a job for every schedule that is due and not yet fired; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let now = self.ambient.now();
        let mut fired = 0;
        for schedule in &self.schedules {
            let last = self.last_fire(schedule.name).await?;
            // A schedule seen for the first time begins now: it makes up for nothing.
            let baseline = match last {
                Some(last) => last,
                None => self.begin(schedule.name, now).await?,
            };
            if let Some(due) = schedule.latest_due(baseline, now)
                && self.fire(schedule, due).await?
            {
                fired += 1;
            }
        }
        Ok(fired)
    }

    async fn last_fire(&self, name: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let select = self.db.engine().statement(
            "SELECT due_at FROM schedule_fires WHERE schedule = ? ORDER BY due_at DESC LIMIT 1",
            [name.into()],
        );
        let row = self.db.reader()?.query_one_raw(select).await?;
        Ok(row.map(|row| row.try_get("", "due_at")).transpose()?)
    }

    async fn begin(&self, name: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, StoreError> {
        self.db.in_txn(async |txn| self.note(txn, name, now).await.map(drop)).await?;
        Ok(now)
    }

    async fn fire(&self, schedule: &Schedule, due: DateTime<Utc>) -> Result<bool, StoreError> {
        let fired = self
            .db
            .in_txn(async |txn| {
                if !self.note(txn, schedule.name, due).await? {
                    return Ok::<_, StoreError>(false);
                }
                let payload = serde_json::json!({ "due": due });
                let job = NewJob::new(schedule.name, payload).max_attempts(schedule.max_attempts);
                enqueue_in_txn(txn, &self.ambient, job).await?;
                Ok(true)
            })
            .await?;
        if fired {
            metrics::counter!("schedule_fires_total", "schedule" => schedule.name).increment(1);
        }
        Ok(fired)
    }

    async fn note(
        &self,
        txn: &DatabaseTransaction,
        name: &str,
        due: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let insert = self.db.engine().statement(
            "INSERT INTO schedule_fires (schedule, due_at, fired_at) VALUES (?, ?, ?)",
            [name.into(), due.into(), self.ambient.now().into()],
        );
        insert_if_absent(txn, insert).await
    }
}

/// Removes fires that were due before the moment, but each schedule's newest, from which the next is reckoned; gives
/// how many.
///
/// # Errors
/// When the database fails.
pub async fn forget_old_fires(txn: &DatabaseTransaction, before: DateTime<Utc>) -> Result<u64, StoreError> {
    // The derived table is there for MySQL, which does not delete from a table that a subquery reads directly.
    let delete = Engine::of(txn.get_database_backend()).statement(
        "DELETE FROM schedule_fires WHERE due_at < ? AND (schedule, due_at) NOT IN (SELECT schedule, newest FROM \
         (SELECT schedule, MAX(due_at) AS newest FROM schedule_fires GROUP BY schedule) AS last_fires)",
        [before.into()],
    );
    Ok(txn.execute_raw(delete).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn nine_in_the_morning_is_meant_in_india() {
        let daily = Schedule::new("daily", "0 9 * * *").unwrap();
        let due = daily.latest_due(at("2026-01-01T00:00:00Z"), at("2026-01-01T03:30:00Z"));
        assert_eq!(due, Some(at("2026-01-01T03:30:00Z")));
        assert_eq!(daily.latest_due(at("2026-01-01T00:00:00Z"), at("2026-01-01T03:29:59Z")), None);
    }

    #[test]
    fn a_pause_is_made_up_for_by_its_latest_due_time() {
        let hourly = Schedule::new("hourly", "0 * * * *").unwrap();
        let due = hourly.latest_due(at("2026-01-01T00:30:00Z"), at("2026-01-01T05:45:00Z"));
        assert_eq!(due, Some(at("2026-01-01T05:30:00Z")), "on the hour in India is half past in UTC");
    }

    #[test]
    fn a_broken_pattern_is_named() {
        assert!(Schedule::new("broken", "61 * * * *").unwrap_err().to_string().contains("broken"));
    }
}
