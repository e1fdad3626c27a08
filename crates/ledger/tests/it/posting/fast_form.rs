//! PostgreSQL's one round trip says and writes exactly what a statement at a time does.

use ledger::Ledger;
use proptest::test_runner::{Config, TestRunner};
use store::Database;
use testkit::{Domain, Engine, FakeClock, Scope, TestDb, ambient};

use super::schedules::{Step, World, steps};
use super::support::{count, ledger_of, rows};

/// Everything that was written, as text, ids of journals and holds told by their keys.
async fn everything(db: &Database) -> Vec<String> {
    let queries = [
        "SELECT * FROM ledger_wallets",
        "SELECT j.idem_key, j.payload_hash, j.kind, j.currency, j.ref_type, j.ref_id, j.actor_type, j.actor_id, j.reason, \
         j.event_at, j.created_at, r.idem_key AS reverses FROM named_journals j \
         LEFT JOIN named_journals r ON r.id = j.reverses_id",
        "SELECT j.idem_key, p.seq, p.from_kind, p.from_user, p.to_kind, p.to_user, p.amount FROM ledger_postings p \
         JOIN named_journals j ON j.id = p.journal_id",
        "SELECT e.user_id, e.version, j.idem_key, e.kind, e.available, e.held, e.promo, e.earnings, e.debt, e.created_at \
         FROM ledger_entries e JOIN named_journals j ON j.id = e.journal_id",
        "SELECT d.kind, j.idem_key, d.amount FROM ledger_deltas d JOIN named_journals j ON j.id = d.journal_id",
        "SELECT h.user_id, h.purpose, h.ref_type, h.ref_id, h.amount, h.from_available, h.from_earnings, h.status, \
         o.idem_key AS opened, r.idem_key AS resolved FROM ledger_holds h \
         JOIN named_journals o ON o.id = h.open_journal LEFT JOIN named_journals r ON r.id = h.resolve_journal",
        "SELECT idem_key, code, created_at FROM ledger_refusals",
    ];
    // A reversal's key and digest name the journal that it reverses: the one by that journal's key, the other not at all.
    let named = "WITH named_journals AS (SELECT j.id, j.kind, j.currency, j.ref_type, j.ref_id, j.reverses_id, j.actor_type, \
                 j.actor_id, j.reason, j.event_at, j.created_at, COALESCE('rev:' || o.idem_key, j.idem_key) AS idem_key, \
                 CASE WHEN o.id IS NULL THEN j.payload_hash ELSE '' END AS payload_hash \
                 FROM ledger_journals j LEFT JOIN ledger_journals o ON o.id = j.reverses_id)";
    let mut all = Vec::new();
    for query in queries {
        let sql = format!("{named} SELECT CAST(t AS text) AS line FROM ({query}) AS t ORDER BY 1");
        for row in rows(db, &sql, vec![]).await {
            all.push(row.try_get("", "line").unwrap());
        }
    }
    all
}

async fn refusals_of_reversals(db: &Database) -> i64 {
    count(db, "ledger_refusals WHERE idem_key LIKE 'rev:%'").await
}

async fn schedule(dbs: [&TestDb; 2], ledgers: [Ledger; 2], steps: Vec<Step>) {
    let [fast, plain] = ledgers;
    let mut fast = World::new(dbs[0], fast);
    let mut plain = World { people: fast.people, name: fast.name.clone(), ..World::new(dbs[1], plain) };
    for (n, step) in steps.iter().enumerate() {
        assert_eq!(fast.take(step).await, plain.take(step).await, "step {n}: {step:?}");
    }
}

/// The key of a refused reversal holds an id that was drawn, so such rows are counted and not compared.
fn comparable(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.starts_with("(rev:") || line.contains(":post:")).collect()
}

#[test]
fn one_round_trip_and_plain_statements_say_and_write_the_same() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = || TestDb::start(Engine::Postgres, Scope::Domain(Domain::Ledger));
    let (one, other) = runtime.block_on(async { (start().await, start().await) });
    let ambient = ambient(&FakeClock::at("2026-11-22T21:00:00.123456Z"));
    let fast = ledger_of(&one, ambient.clone());
    let plain = ledger_of(&other, ambient).in_plain_statements();
    let config = Config { cases: 24, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let run = TestRunner::new(config).run(&steps(60), |steps| {
        runtime.block_on(schedule([&one, &other], [fast.clone(), plain.clone()], steps));
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async {
        let (written_fast, written_plain) = (everything(&one).await, everything(&other).await);
        assert!(written_fast.len() > 500, "{}", written_fast.len());
        assert_eq!(comparable(written_fast), comparable(written_plain));
        assert_eq!(refusals_of_reversals(&one).await, refusals_of_reversals(&other).await);
        one.dispose().await;
        other.dispose().await;
    });
}
