//! The store's tables: outbox, jobs, schedules, idempotency keys and the audit log.

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration::new("store_0001_reliability", RELIABILITY),
    SqlMigration::new("store_0002_audit", AUDIT),
    SqlMigration::new("store_0003_key_leases", KEY_LEASES),
    SqlMigration::new("store_0004_streams", STREAMS),
    SqlMigration::new("store_0005_pending_events", PENDING_EVENTS),
    SqlMigration::new("store_0006_due_events", DUE_EVENTS),
    SqlMigration::new("store_0007_waiting_events", WAITING_EVENTS),
];

const RELIABILITY: &[Step] = &[
    Step::Table(
        "outbox_events",
        "position {position},
         id {id} NOT NULL UNIQUE,
         subject VARCHAR(80) NOT NULL,
         kind VARCHAR(64) NOT NULL,
         payload {json} NOT NULL,
         created_at {instant} NOT NULL,
         due_at {instant} NULL,
         attempt INTEGER NOT NULL,
         lease_owner {id} NULL,
         last_error {text} NULL,
         relayed_at {instant} NULL,
         dead_at {instant} NULL",
    ),
    Step::IndexWhere("ix_outbox_due", "outbox_events", "due_at, position", "due_at IS NOT NULL"),
    Step::IndexWhere("ix_outbox_subject", "outbox_events", "subject, position, due_at", "due_at IS NOT NULL"),
    Step::Table(
        "jobs",
        "id {id} PRIMARY KEY,
         kind VARCHAR(64) NOT NULL,
         payload {json} NOT NULL,
         unique_key VARCHAR(190) NULL UNIQUE,
         state VARCHAR(16) NOT NULL,
         due_at {instant} NULL,
         attempt INTEGER NOT NULL,
         max_attempts INTEGER NOT NULL,
         lease_owner {id} NULL,
         last_error {text} NULL,
         created_at {instant} NOT NULL,
         finished_at {instant} NULL,
         CHECK (state IN ('ready', 'running', 'done', 'dead')),
         CHECK ((due_at IS NULL) = (state IN ('done', 'dead')))",
    ),
    Step::IndexWhere("ix_jobs_due", "jobs", "due_at", "due_at IS NOT NULL"),
    Step::Index("ix_jobs_finished", "jobs", "state, finished_at"),
    Step::Table(
        "schedule_fires",
        "schedule VARCHAR(64) NOT NULL,
         due_at {instant} NOT NULL,
         fired_at {instant} NOT NULL,
         PRIMARY KEY (schedule, due_at)",
    ),
    Step::Table(
        "idempotency_keys",
        "scope VARCHAR(160) NOT NULL,
         idem_key VARCHAR(255) NOT NULL,
         fingerprint CHAR(64) NOT NULL,
         status INTEGER NULL,
         body {text} NULL,
         created_at {instant} NOT NULL,
         expires_at {instant} NOT NULL,
         PRIMARY KEY (scope, idem_key)",
    ),
    Step::Index("ix_idempotency_expires", "idempotency_keys", "expires_at"),
];

const AUDIT: &[Step] = &[
    Step::Table(
        "audit_log",
        "position {position},
         id {id} NOT NULL UNIQUE,
         at {instant} NOT NULL,
         actor_kind VARCHAR(16) NOT NULL,
         actor_id VARCHAR(64) NOT NULL,
         action VARCHAR(64) NOT NULL,
         subject_kind VARCHAR(32) NOT NULL,
         subject_id VARCHAR(64) NOT NULL,
         before_state {json} NOT NULL,
         after_state {json} NOT NULL,
         reason {text} NULL,
         request_id VARCHAR(64) NULL,
         client_address VARCHAR(64) NULL,
         user_agent VARCHAR(256) NULL",
    ),
    Step::Index("ix_audit_subject", "audit_log", "subject_kind, subject_id, position"),
    Step::Index("ix_audit_actor", "audit_log", "actor_id, position"),
    // What was recorded stays: each engine refuses to change or delete it, whoever asks.
    Step::Each {
        sqlite: &[
            "CREATE TRIGGER IF NOT EXISTS audit_log_no_update BEFORE UPDATE ON audit_log \
             BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
            "CREATE TRIGGER IF NOT EXISTS audit_log_no_delete BEFORE DELETE ON audit_log \
             BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        ],
        postgres: &[
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$",
            "CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log \
             FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "CREATE OR REPLACE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log \
             FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ],
        mariadb: &[
            "CREATE TRIGGER IF NOT EXISTS audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'",
            "CREATE TRIGGER IF NOT EXISTS audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW \
             SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'",
        ],
    },
];

/// For requests in whose middle somebody outside is asked: until when the one that began may go on, and from where
/// another one goes on after that.
const KEY_LEASES: &[Step] = &[
    Step::Column("idempotency_keys", "lease_until {instant} NULL"),
    Step::Column("idempotency_keys", "recovery_point VARCHAR(64) NULL"),
];

/// What is told, numbered along each stream. The head's row is what gives numbers in the order of commits.
const STREAMS: &[Step] = &[
    Step::Table("stream_heads", "stream VARCHAR(80) PRIMARY KEY, seq BIGINT NOT NULL"),
    Step::Table(
        "stream_entries",
        "stream VARCHAR(80) NOT NULL,
         seq BIGINT NOT NULL,
         event_id {id} NOT NULL,
         name VARCHAR(64) NOT NULL,
         payload {json} NOT NULL,
         at {instant} NOT NULL,
         PRIMARY KEY (stream, seq)",
    ),
    Step::Index("ix_stream_entries_at", "stream_entries", "at"),
    // For the list of what was given up, and for how long the oldest has waited.
    Step::IndexWhere("ix_outbox_dead", "outbox_events", "dead_at, position", "dead_at IS NOT NULL"),
];

/// An index for a relay that asks in the order of positions. MariaDB has no partial indexes, and keeps `ix_outbox_due`.
const PENDING_EVENTS: &[Step] =
    &[Step::Each { sqlite: &[PENDING, NOT_BY_TIME], postgres: &[PENDING, NOT_BY_TIME], mariadb: &[] }];

const PENDING: &str = "CREATE INDEX IF NOT EXISTS ix_outbox_pending ON outbox_events (position, due_at) WHERE due_at IS NOT NULL";
const NOT_BY_TIME: &str = "DROP INDEX IF EXISTS ix_outbox_due";

/// The relay asks for what is due in the order of time, which this index alone has; for the order of positions PostgreSQL chose
/// the primary key, with all that was relayed in days, whenever it thought much was due. What is leased or tried again
/// later is beyond the end of what is read. The index that goes is dropped first: it wants the stronger lock, and who
/// asks for that second may wait in a ring with a relay at work.
const DUE_EVENTS: &[Step] =
    &[Step::Each { sqlite: &[NOT_BY_POSITION, DUE], postgres: &[NOT_BY_POSITION, DUE], mariadb: &[] }];

const DUE: &str =
    "CREATE INDEX IF NOT EXISTS ix_outbox_due ON outbox_events (due_at, position) WHERE due_at IS NOT NULL";
const NOT_BY_POSITION: &str = "DROP INDEX IF EXISTS ix_outbox_pending";

/// The relay asks of each event that is due for one before it of its subject that waits. Whenever PostgreSQL had counted
/// while next to nothing waited, it read the one index whole for that, or the other one for what is due, since all of them
/// were as good as empty. Their conditions differ now, so that each question has one index.
const WAITING_EVENTS: &[Step] =
    &[Step::Each { sqlite: &[NOT_BY_SUBJECT, WAITING], postgres: &[NOT_BY_SUBJECT, WAITING], mariadb: &[] }];

const WAITING: &str = "CREATE INDEX IF NOT EXISTS ix_outbox_waiting ON outbox_events (subject, position) \
                       WHERE relayed_at IS NULL AND dead_at IS NULL";
const NOT_BY_SUBJECT: &str = "DROP INDEX IF EXISTS ix_outbox_subject";
