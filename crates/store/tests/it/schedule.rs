//! Schedules over thirty days, three instances and many pauses: each due time fires once.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Ambient;
use sea_orm::ConnectionTrait;
use store::{Database, Schedule, Scheduler};
use testkit::{FakeClock, Scope, SeededEntropy, on_every_engine};

const DAYS: i64 = 30;

fn schedules() -> Vec<Schedule> {
    [("hourly", "0 * * * *"), ("reminders", "0 9 * * *"), ("snapshot", "0 0 * * *")]
        .map(|(kind, pattern)| Schedule::new(kind, pattern).unwrap())
        .to_vec()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Every due time, by schedule, for which there is a job; a time that fired twice is there twice.
async fn fired(db: &Database) -> BTreeMap<String, Vec<DateTime<Utc>>> {
    let select = db.engine().statement("SELECT kind, payload FROM jobs", []);
    let mut fired: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in db.reader().unwrap().query_all_raw(select).await.unwrap() {
        let payload: serde_json::Value = row.try_get("", "payload").unwrap();
        let due = at(payload["due"].as_str().unwrap());
        fired.entry(row.try_get("", "kind").unwrap()).or_default().push(due);
    }
    fired.values_mut().for_each(|times| times.sort());
    fired
}

/// The due times between the two moments, the first excluded.
fn every(first: &str, step: TimeDelta, end: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let times = std::iter::successors(Some(at(first)), |time| Some(*time + step));
    times.take_while(|time| *time <= end).collect()
}

/// One instance: its own clock, which stands still while the instance is frozen.
struct Instance {
    clock: Arc<FakeClock>,
    scheduler: Scheduler,
    frozen_for: u64,
}

on_every_engine! { Scope::Store =>
    /// An instance that was frozen goes on with the time it had, as one that is stopped between looking at the clock
    /// and writing does; one of the three is always awake.
    async fn three_instances_fire_each_due_time_once_over_thirty_days(db: TestDb) {
        let begin = at("2026-02-01T00:10:00Z");
        let chance = Ambient::new(FakeClock::at("2026-01-01T00:00:00Z"), Arc::new(SeededEntropy::new(7)));
        let mut instances: Vec<_> = (0..3)
            .map(|_| {
                let clock = FakeClock::at("2026-02-01T00:10:00Z");
                let scheduler = Scheduler::new(db.database().clone(), testkit::ambient(&clock), schedules());
                Instance { clock, scheduler, frozen_for: 0 }
            })
            .collect();
        for instance in &instances {
            assert_eq!(instance.scheduler.tick().await.unwrap(), 0, "a schedule that is new makes up for nothing");
        }
        for hour in 0..DAYS * 24 {
            let minutes = i64::try_from(chance.random_below(20)).unwrap();
            let now = begin + TimeDelta::hours(hour) + TimeDelta::minutes(30 + minutes);
            let awake = usize::try_from(hour % 3).unwrap();
            let mut ticks = Vec::new();
            for (index, instance) in instances.iter_mut().enumerate() {
                if index == awake || instance.frozen_for == 0 {
                    instance.clock.set(now);
                    instance.frozen_for = chance.random_below(6);
                    ticks.push(instance.scheduler.tick());
                } else {
                    instance.frozen_for -= 1;
                    // Now and then a frozen one comes to for a moment, and does not know how late it is.
                    if chance.random_below(3) == 0 {
                        ticks.push(instance.scheduler.tick());
                    }
                }
            }
            let fired = futures_util::future::try_join_all(ticks).await.unwrap();
            assert!(fired.into_iter().sum::<usize>() >= 1, "each hour something is due");
        }
        let end = begin + TimeDelta::days(DAYS);
        let fired = fired(db).await;
        assert_eq!(fired["hourly"], every("2026-02-01T00:30:00Z", TimeDelta::hours(1), end));
        assert_eq!(fired["reminders"], every("2026-02-01T03:30:00Z", TimeDelta::days(1), end), "09:00 in India");
        assert_eq!(fired["snapshot"], every("2026-02-01T18:30:00Z", TimeDelta::days(1), end), "00:00 in India");
    }

    async fn of_eight_instances_at_the_same_moment_one_fires(db: TestDb) {
        let clock = FakeClock::at("2026-02-01T00:10:00Z");
        let scheduler = || Scheduler::new(db.database().clone(), testkit::ambient(&clock), schedules());
        scheduler().tick().await.unwrap();
        clock.set(at("2026-02-01T03:30:00Z"));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let scheduler = scheduler();
                tokio::spawn(async move { scheduler.tick().await.unwrap() })
            })
            .collect();
        let mut total = 0;
        for task in tasks {
            total += task.await.unwrap();
        }
        assert_eq!(total, 2, "the hour and the reminders");
        assert_eq!(fired(db).await.values().map(Vec::len).sum::<usize>(), 2);
    }

    async fn old_fires_are_forgotten_but_each_schedules_newest(db: TestDb) {
        let clock = FakeClock::at("2026-02-01T00:10:00Z");
        let scheduler = Scheduler::new(db.database().clone(), testkit::ambient(&clock), schedules());
        scheduler.tick().await.unwrap();
        clock.set(at("2026-02-01T03:30:00Z"));
        assert_eq!(scheduler.tick().await.unwrap(), 2, "the hour and the reminders");
        let forget = async |before: &str| {
            db.in_txn(async |txn| store::forget_old_fires(txn, at(before)).await).await.unwrap()
        };
        assert_eq!(forget("2026-02-01T00:10:00Z").await, 0, "nothing was due before the beginning");
        assert_eq!(forget("2026-03-15T00:00:00Z").await, 2, "where two schedules began");
        let left = crate::support::count(db, "schedule_fires").await;
        assert_eq!(left, 3, "the last fire of two, the beginning of the third");
        assert_eq!(forget("2026-03-15T00:00:00Z").await, 0);
        assert_eq!(scheduler.tick().await.unwrap(), 0, "what was fired is not fired again");
    }

    async fn a_night_without_any_instance_is_made_up_for_once(db: TestDb) {
        let clock = FakeClock::at("2026-02-01T00:10:00Z");
        let scheduler = Scheduler::new(db.database().clone(), testkit::ambient(&clock), schedules());
        scheduler.tick().await.unwrap();
        clock.set(at("2026-02-03T04:00:00Z"));
        assert_eq!(scheduler.tick().await.unwrap(), 3);
        assert_eq!(scheduler.tick().await.unwrap(), 0);
        let fired = fired(db).await;
        assert_eq!(fired["hourly"], [at("2026-02-03T03:30:00Z")]);
        assert_eq!(fired["reminders"], [at("2026-02-03T03:30:00Z")]);
        assert_eq!(fired["snapshot"], [at("2026-02-02T18:30:00Z")]);
    }
}
