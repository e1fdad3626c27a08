//! Each stream as a process tells it: every number once, in order, whatever becomes of the hints.

use chrono::DateTime;
use kernel::Ambient;
use serde_json::json;
use store::{NewEntry, append_to_streams_in_txn, forget_stream_entries};
use testkit::{Scope, TestDb, on_every_engine};

use super::*;

/// What went out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Out {
    Told(i64),
    PassedOver,
    Resync(i64),
}

/// Writes down what went out, by stream.
#[derive(Default)]
struct Recorder(Mutex<Vec<(String, Out)>>);

#[async_trait]
impl Outlet for Recorder {
    fn tell(&self, entry: &StreamEntry) {
        self.0.lock().unwrap().push((entry.told.stream.clone(), Out::Told(entry.seq)));
    }

    async fn pass_over(&self, stream: &str) -> Result<(), IdentityError> {
        self.0.lock().unwrap().push((stream.to_owned(), Out::PassedOver));
        Ok(())
    }

    fn resync(&self, stream: &str, head: i64) {
        self.0.lock().unwrap().push((stream.to_owned(), Out::Resync(head)));
    }
}

/// A process: its feeds, and what its sockets were told.
struct Process {
    feeds: Arc<Feeds>,
    out: Arc<Recorder>,
}

impl Process {
    fn on(db: &TestDb) -> Self {
        let out = Arc::<Recorder>::default();
        Self { feeds: Arc::new(Feeds::new(db.database().clone(), Arc::<Recorder>::clone(&out))), out }
    }

    /// Lets somebody listen; gives what they begin with: the numbers missed, where they stand, whether to read anew.
    async fn listen(&self, stream: &str, after: Option<i64>) -> (Vec<i64>, i64, bool) {
        let mut begun = None;
        let begin = |beginning: &Beginning| {
            let missed = beginning.missed.iter().map(|entry| entry.seq).collect();
            begun = Some((missed, beginning.seq, beginning.resync));
        };
        self.feeds.listen(stream, after, begin).await.unwrap();
        begun.unwrap()
    }

    /// What went out to a stream since this was asked last.
    fn out(&self, stream: &str) -> Vec<Out> {
        let mut all = self.out.0.lock().unwrap();
        let (these, others) = std::mem::take(&mut *all).into_iter().partition(|(name, _)| name == stream);
        *all = others;
        let these: Vec<(String, Out)> = these;
        these.into_iter().map(|(_, out)| out).collect()
    }
}

fn told(numbers: impl IntoIterator<Item = i64>) -> Vec<Out> {
    numbers.into_iter().map(Out::Told).collect()
}

/// Tells a stream so much, as the relay does; gives the hints that follow.
async fn happen(db: &TestDb, stream: &str, count: usize) -> Vec<StreamEntry> {
    let ambient = Ambient::system();
    let entry = || NewEntry {
        stream: stream.to_owned(),
        name: "wallet:updated".to_owned(),
        payload: json!({}),
        event: ambient.new_id(),
        at: DateTime::UNIX_EPOCH,
    };
    let entries: Vec<NewEntry> = std::iter::repeat_with(entry).take(count).collect();
    let append = async |txn: &_| append_to_streams_in_txn(txn, entries.clone()).await;
    db.database().in_txn(append).await.unwrap()
}

on_every_engine! { Scope::Store =>
    async fn hints_are_told_in_their_order_and_once(db: TestDb) {
        let process = Process::on(db);
        assert_eq!(process.listen("a", None).await, (Vec::new(), 0, false));
        let hints = happen(db, "a", 5).await;
        process.feeds.hear(vec![hints[0].clone()]);
        assert_eq!(process.out("a"), told([1]));
        process.feeds.hear(vec![hints[2].clone(), hints[3].clone()]);
        assert_eq!(process.out("a"), told([]), "two is missing");
        process.feeds.hear(vec![hints[1].clone(), hints[0].clone()]);
        assert_eq!(process.out("a"), told([2]), "what came too early is read, not kept");
        process.feeds.hear(hints[2..4].to_vec());
        assert_eq!(process.out("a"), told([3, 4]));
        process.feeds.hear(hints);
        assert_eq!(process.out("a"), told([5]));
        process.feeds.hear(happen(db, "b", 1).await);
        assert_eq!(process.out("b"), told([]), "nobody listens");
    }

    async fn what_is_missing_is_read_when_it_is_seen_and_also_when_it_left_no_trace(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        process.listen("b", None).await;
        let hints = happen(db, "a", 3).await;
        process.feeds.hear(vec![hints[2].clone()]);
        happen(db, "b", 2).await;
        process.feeds.look(false).await.unwrap();
        assert_eq!((process.out("a"), process.out("b")), (told([1, 2, 3]), told([])));
        process.feeds.look(true).await.unwrap();
        assert_eq!((process.out("a"), process.out("b")), (told([]), told([1, 2])));
        process.feeds.look(true).await.unwrap();
        assert_eq!((process.out("a"), process.out("b")), (told([]), told([])));
    }

    /// Another deployment's, or of a database that was restored since.
    async fn what_comes_early_is_told_only_as_the_database_has_it(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        let hints = happen(db, "a", 1).await;
        let never = |seq| StreamEntry { seq, told: NewEntry { name: "never".to_owned(), ..hints[0].told.clone() } };
        process.feeds.hear(vec![never(2), never(3), never(4)]);
        process.feeds.look(false).await.unwrap();
        assert_eq!(process.out("a"), told([1]));
        process.feeds.hear(happen(db, "a", 1).await);
        process.feeds.look(true).await.unwrap();
        assert_eq!(process.out("a"), told([2]), "and what was never written at three and four stays untold");
    }

    async fn a_gap_is_filled_without_waiting_for_the_next_look(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        let stop = CancellationToken::new();
        let (feeds, stopped) = (Arc::clone(&process.feeds), stop.clone());
        let running = tokio::spawn(async move { feeds.run(Duration::from_secs(3_600), stopped).await });
        let hints = happen(db, "a", 2).await;
        process.feeds.hear(vec![hints[1].clone()]);
        while process.out.0.lock().unwrap().len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(process.out("a"), told([1, 2]));
        stop.cancel();
        running.await.unwrap();
    }

    async fn who_was_away_begins_with_what_was_missed_and_hears_the_rest(db: TestDb) {
        let process = Process::on(db);
        happen(db, "a", 4).await;
        assert_eq!(process.listen("a", Some(1)).await, (vec![2, 3, 4], 4, false));
        assert_eq!(process.listen("a", Some(4)).await, (Vec::new(), 4, false));
        assert_eq!(process.listen("a", None).await, (Vec::new(), 4, false));
        process.feeds.hear(happen(db, "a", 1).await);
        assert_eq!(process.out("a"), told([5]));
    }

    async fn what_is_not_to_be_had_any_more_is_no_part_of_a_beginning(db: TestDb) {
        let process = Process::on(db);
        happen(db, "a", MOST_MISSED + 1).await;
        let head = i64::try_from(MOST_MISSED + 1).unwrap();
        assert_eq!(process.listen("a", Some(0)).await, (Vec::new(), head, true));
        assert_eq!(process.listen("a", Some(1)).await, ((2..=head).collect(), head, false));
        for never in [head + 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(process.listen("a", Some(never)).await, (Vec::new(), head, true), "{never}");
        }
        let later = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1);
        db.database().in_txn(async |txn| forget_stream_entries(txn, later).await).await.unwrap();
        assert_eq!(process.listen("a", Some(head - 1)).await, (Vec::new(), head, true));
        assert_eq!(process.listen("a", Some(head)).await, (Vec::new(), head, false));
    }

    /// Somebody listens already, and has not been told yet what the newcomer has heard elsewhere or reads now.
    async fn a_newcomer_who_knows_more_than_this_process_brings_the_others_forward(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        happen(db, "a", 3).await;
        assert_eq!(process.listen("a", Some(3)).await, (Vec::new(), 3, false));
        assert_eq!(process.out("a"), told([1, 2, 3]));
        let hints = happen(db, "a", 2).await;
        assert_eq!(process.listen("a", Some(2)).await, (vec![3], 3, false));
        assert_eq!(process.out("a"), told([4, 5]), "to everybody, in their turn");
        process.feeds.hear(hints);
        assert_eq!(process.out("a"), told([]));
    }

    async fn who_falls_too_far_behind_is_told_to_read_anew_and_goes_on(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        let hints = happen(db, "a", MOST_MISSED + 2).await;
        process.feeds.look(true).await.unwrap();
        let head = i64::try_from(MOST_MISSED + 2).unwrap();
        assert_eq!(process.out("a"), [Out::PassedOver, Out::Resync(head)]);
        process.feeds.hear(hints);
        process.feeds.hear(happen(db, "a", 1).await);
        assert_eq!(process.out("a"), told([head + 1]));
    }

    /// The numbers of a database that was restored from a backup are given again.
    async fn a_head_that_went_back_is_a_resync(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        let hints = happen(db, "a", 3).await;
        let lost = StreamEntry { seq: 4, told: hints[0].told.clone() };
        process.feeds.hear([hints, vec![lost]].concat());
        assert_eq!(process.out("a"), told([1, 2, 3, 4]));
        process.feeds.look(true).await.unwrap();
        assert_eq!(process.out("a"), [Out::PassedOver, Out::Resync(3)]);
        process.feeds.hear(happen(db, "a", 1).await);
        assert_eq!(process.out("a"), told([4]));
    }

    async fn a_stream_is_held_as_long_as_somebody_listens(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        process.feeds.keep("a");
        process.feeds.release("a");
        process.feeds.hear(happen(db, "a", 1).await);
        assert_eq!(process.out("a"), told([1]));
        process.feeds.release("a");
        process.feeds.hear(happen(db, "a", 1).await);
        process.feeds.look(true).await.unwrap();
        assert_eq!((process.out("a"), process.feeds.held.lock().unwrap().len()), (told([]), 0));
        process.feeds.release("a");
        assert_eq!(process.listen("a", Some(1)).await, (vec![2], 2, false));
    }

    async fn whatever_becomes_of_hints_every_number_is_told_once_in_order(db: TestDb) {
        let process = Process::on(db);
        process.listen("a", None).await;
        let mut dice = 7_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        let (mut out, mut under_way) = (Vec::new(), Vec::new());
        for _ in 0..60 {
            under_way.extend(happen(db, "a", usize::try_from(1 + roll(4)).unwrap()).await);
            // Of what is under way some is lost, some comes twice, and some comes late.
            for _ in 0..roll(6) {
                let at = usize::try_from(roll(u64::try_from(under_way.len()).unwrap())).unwrap();
                process.feeds.hear(vec![under_way[at].clone()]);
            }
            if roll(4) == 0 {
                process.feeds.look(roll(2) == 0).await.unwrap();
            }
            out.extend(process.out("a"));
        }
        process.feeds.look(true).await.unwrap();
        out.extend(process.out("a"));
        assert_eq!(out, told(1..=i64::try_from(under_way.len()).unwrap()));
    }
}
