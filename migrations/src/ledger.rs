//! The tables of the ledger: wallets, house accounts, journals with their postings, holds, refusals and seals.
//!
//! A user's accounts are the columns of one row, so a journal takes one lock and one update per user, and the row's
//! version numbers the user's history. House accounts are never locked by a journal: it inserts a delta, and a job
//! folds deltas into the balance.

mod functions;
mod sound;

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration::new("ledger_0001_accounts", ACCOUNTS),
    SqlMigration::new("ledger_0002_append_only", APPEND_ONLY),
    SqlMigration::new("ledger_0003_post", POST),
    SqlMigration::new("ledger_0004_sound", SOUND),
    SqlMigration::new("ledger_0005_validate", VALIDATE),
];

const ACCOUNTS: &[Step] = &[
    Step::Table(
        "ledger_wallets",
        "user_id {id} PRIMARY KEY,
         available BIGINT NOT NULL,
         held BIGINT NOT NULL,
         promo BIGINT NOT NULL,
         earnings BIGINT NOT NULL,
         debt BIGINT NOT NULL,
         version BIGINT NOT NULL,
         frozen BOOLEAN NOT NULL,
         created_at {instant} NOT NULL,
         CHECK (available >= 0),
         CHECK (held >= 0),
         CHECK (promo >= 0),
         CHECK (earnings >= 0),
         CHECK (debt <= 0),
         CHECK (version >= 0)",
    ),
    Step::Table(
        "ledger_accounts",
        "kind VARCHAR(32) PRIMARY KEY,
         balance BIGINT NOT NULL,
         version BIGINT NOT NULL,
         created_at {instant} NOT NULL",
    ),
    Step::Table(
        "ledger_journals",
        "id {id} PRIMARY KEY,
         idem_key VARCHAR(160) NOT NULL UNIQUE,
         payload_hash CHAR(64) NOT NULL,
         kind VARCHAR(40) NOT NULL,
         currency CHAR(3) NOT NULL,
         ref_type VARCHAR(30) NOT NULL,
         ref_id VARCHAR(64) NOT NULL,
         reverses_id {id} NULL,
         actor_type VARCHAR(16) NOT NULL,
         actor_id VARCHAR(64) NOT NULL,
         reason VARCHAR(200) NULL,
         event_at {instant} NOT NULL,
         created_at {instant} NOT NULL,
         FOREIGN KEY (reverses_id) REFERENCES ledger_journals (id),
         CHECK (currency = 'INR')",
    ),
    Step::Index("ix_ledger_journals_ref", "ledger_journals", "ref_type, ref_id"),
    // A journal is reversed once. Nearly none reverses another, and those need no entry in the index.
    Step::Each {
        sqlite: &[ONE_REVERSAL],
        postgres: &[ONE_REVERSAL],
        mariadb: &["CREATE UNIQUE INDEX ux_ledger_journals_reverses ON ledger_journals (reverses_id)"],
    },
    // `from_user` and `to_user` are set exactly for a user's accounts. A CHECK that comes out as NULL passes, hence
    // the IS NOT NULL beside each comparison.
    Step::Table(
        "ledger_postings",
        "journal_id {id} NOT NULL,
         seq INTEGER NOT NULL,
         from_kind VARCHAR(32) NOT NULL,
         from_user {id} NULL,
         to_kind VARCHAR(32) NOT NULL,
         to_user {id} NULL,
         amount BIGINT NOT NULL,
         PRIMARY KEY (journal_id, seq),
         FOREIGN KEY (journal_id) REFERENCES ledger_journals (id),
         CHECK (amount > 0),
         CHECK ((from_user IS NOT NULL) = (from_kind IN ('available', 'held', 'promo', 'earnings', 'debt'))),
         CHECK ((to_user IS NOT NULL) = (to_kind IN ('available', 'held', 'promo', 'earnings', 'debt'))),
         CHECK (from_kind <> to_kind OR (from_user IS NOT NULL AND to_user IS NOT NULL AND from_user <> to_user))",
    ),
    // A user's history: one row per journal that touched the wallet, with what each account held after it. The
    // primary key is what keeps the chain of versions free of gaps and forks.
    Step::Table(
        "ledger_entries",
        "user_id {id} NOT NULL,
         version BIGINT NOT NULL,
         journal_id {id} NOT NULL,
         kind VARCHAR(40) NOT NULL,
         available BIGINT NOT NULL,
         held BIGINT NOT NULL,
         promo BIGINT NOT NULL,
         earnings BIGINT NOT NULL,
         debt BIGINT NOT NULL,
         created_at {instant} NOT NULL,
         PRIMARY KEY (user_id, version),
         UNIQUE (journal_id, user_id),
         FOREIGN KEY (user_id) REFERENCES ledger_wallets (user_id),
         FOREIGN KEY (journal_id) REFERENCES ledger_journals (id),
         CHECK (version > 0)",
    ),
    Step::Table(
        "ledger_deltas",
        "kind VARCHAR(32) NOT NULL,
         journal_id {id} NOT NULL,
         amount BIGINT NOT NULL,
         PRIMARY KEY (kind, journal_id),
         CHECK (amount <> 0)",
    ),
    Step::Table(
        "ledger_holds",
        "id {id} PRIMARY KEY,
         user_id {id} NOT NULL,
         purpose VARCHAR(20) NOT NULL,
         ref_type VARCHAR(30) NOT NULL,
         ref_id VARCHAR(64) NOT NULL,
         amount BIGINT NOT NULL,
         from_available BIGINT NOT NULL,
         from_earnings BIGINT NOT NULL,
         status VARCHAR(10) NOT NULL,
         open_journal {id} NOT NULL UNIQUE,
         resolve_journal {id} NULL UNIQUE,
         UNIQUE (ref_type, ref_id),
         FOREIGN KEY (user_id) REFERENCES ledger_wallets (user_id),
         FOREIGN KEY (open_journal) REFERENCES ledger_journals (id),
         FOREIGN KEY (resolve_journal) REFERENCES ledger_journals (id),
         CHECK (amount > 0),
         CHECK (from_available >= 0 AND from_earnings >= 0 AND from_available + from_earnings = amount),
         CHECK (status IN ('open', 'captured', 'released')),
         CHECK ((status = 'open') = (resolve_journal IS NULL))",
    ),
    Step::IndexWhere("ix_ledger_holds_open", "ledger_holds", "user_id, status", "status = 'open'"),
    // What was refused stays refused: a late repetition of the request must not suddenly succeed.
    Step::Table(
        "ledger_refusals",
        "idem_key VARCHAR(160) PRIMARY KEY,
         payload_hash CHAR(64) NOT NULL,
         code VARCHAR(32) NOT NULL,
         created_at {instant} NOT NULL",
    ),
    Step::Table(
        "ledger_seals",
        "n BIGINT PRIMARY KEY,
         first_journal {id} NOT NULL,
         last_journal {id} NOT NULL,
         journals BIGINT NOT NULL,
         total BIGINT NOT NULL,
         root CHAR(64) NOT NULL,
         prev_hash CHAR(64) NOT NULL,
         hash CHAR(64) NOT NULL UNIQUE,
         created_at {instant} NOT NULL,
         CHECK (n > 0),
         CHECK (journals > 0)",
    ),
];

const ONE_REVERSAL: &str = "CREATE UNIQUE INDEX ux_ledger_journals_reverses ON ledger_journals (reverses_id) \
                            WHERE reverses_id IS NOT NULL";

/// What was written is never changed or removed, whoever asks; corrections are more journals.
const APPEND_ONLY: &[Step] = &[
    Step::AppendOnly("ledger_journals"),
    Step::AppendOnly("ledger_postings"),
    Step::AppendOnly("ledger_entries"),
    Step::AppendOnly("ledger_refusals"),
    Step::AppendOnly("ledger_seals"),
];

/// Posting many journals in one round trip, where the engine can.
const POST: &[Step] = &[Step::Each { sqlite: &[], postgres: &[functions::POST_MANY], mariadb: &[] }];

/// The floors of wallets and the rules of postings, where a function is cheaper than CHECKs.
const SOUND: &[Step] =
    &[Step::Each { sqlite: &[], postgres: &[sound::WALLET, sound::POSTING, sound::INSTEAD], mariadb: &[] }];

const VALIDATE: &[Step] = &[Step::Each { sqlite: &[], postgres: &sound::VALIDATE, mariadb: &[] }];
