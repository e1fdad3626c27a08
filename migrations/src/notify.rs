//! The tables of notify: what people were told, by which ways, and how they want to be told.

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration::new("notify_0001_inbox", INBOX),
    SqlMigration::new("notify_0002_choices", CHOICES),
    SqlMigration::new("notify_0003_deliveries", DELIVERIES),
    SqlMigration::new("notify_0004_hooks", HOOKS),
    SqlMigration::new("notify_0005_announcements", ANNOUNCEMENTS),
    SqlMigration::new("notify_0006_devices_of_logins", DEVICES_OF_LOGINS),
    SqlMigration::new("notify_0007_former_contacts", FORMER_CONTACTS),
    SqlMigration::new("notify_0008_choices_of_kinds", CHOICES_OF_KINDS),
    SqlMigration::new("notify_0009_hooks_in_order", HOOKS_IN_ORDER),
    SqlMigration::new("notify_0010_dead_hooks", DEAD_HOOKS),
    SqlMigration::new("notify_0011_lanes", LANES),
];

const INBOX: &[Step] = &[
    Step::Table(
        "notifications",
        "id {id} PRIMARY KEY,
         user_id {id} NOT NULL,
         kind VARCHAR(64) NOT NULL,
         category VARCHAR(32) NOT NULL,
         collapse_key VARCHAR(190) NULL,
         merged INTEGER NOT NULL,
         title {text} NOT NULL,
         body {text} NOT NULL,
         action VARCHAR(300) NULL,
         data {json} NOT NULL,
         language VARCHAR(8) NOT NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         read_at {instant} NULL,
         clicked_at {instant} NULL",
    ),
    Step::Index("ix_notifications_user", "notifications", "user_id, id"),
    // `read_at` stands in it for MariaDB, which indexes every row.
    Step::IndexWhere("ix_notifications_unread", "notifications", "user_id, read_at, id", "read_at IS NULL"),
    Step::Index("ix_notifications_created", "notifications", "created_at"),
    // Which events somebody was told of: it outlives the notification, so that one which was deleted or merged does
    // not come back when its event is delivered once more.
    Step::Table(
        "notification_events",
        "user_id {id} NOT NULL,
         event_key VARCHAR(190) NOT NULL,
         seen_at {instant} NOT NULL,
         PRIMARY KEY (user_id, event_key)",
    ),
    Step::Index("ix_notification_events_seen", "notification_events", "seen_at"),
    // The notification that further ones of its collapse key are merged into; locking the row orders them.
    Step::Table(
        "notification_slots",
        "user_id {id} NOT NULL,
         collapse_key VARCHAR(190) NOT NULL,
         notification_id {id} NULL,
         opened_at {instant} NOT NULL,
         merged INTEGER NOT NULL,
         PRIMARY KEY (user_id, collapse_key)",
    ),
    Step::Index("ix_notification_slots_opened", "notification_slots", "opened_at"),
];

const CHOICES: &[Step] = &[
    // A template that was reset keeps its row, so that its version never comes back.
    Step::Table(
        "notification_templates",
        "kind VARCHAR(64) NOT NULL,
         channel VARCHAR(16) NOT NULL,
         language VARCHAR(8) NOT NULL,
         active BOOLEAN NOT NULL,
         title {text} NULL,
         body {text} NOT NULL,
         html {text} NULL,
         dlt_template_id VARCHAR(64) NULL,
         version BIGINT NOT NULL,
         updated_at {instant} NOT NULL,
         updated_by VARCHAR(64) NOT NULL,
         PRIMARY KEY (kind, channel, language),
         CHECK (version >= 1)",
    ),
    Step::Table(
        "notification_preferences",
        "user_id {id} NOT NULL,
         category VARCHAR(32) NOT NULL,
         channel VARCHAR(16) NOT NULL,
         enabled BOOLEAN NOT NULL,
         updated_at {instant} NOT NULL,
         PRIMARY KEY (user_id, category, channel)",
    ),
    Step::Table(
        "notification_quiet_hours",
        "user_id {id} PRIMARY KEY,
         start_minute INTEGER NOT NULL,
         end_minute INTEGER NOT NULL,
         updated_at {instant} NOT NULL,
         CHECK (start_minute BETWEEN 0 AND 1439),
         CHECK (end_minute BETWEEN 0 AND 1439),
         CHECK (start_minute <> end_minute)",
    ),
    Step::Table(
        "notification_counters",
        "user_id {id} NOT NULL,
         channel VARCHAR(16) NOT NULL,
         day VARCHAR(10) NOT NULL,
         n INTEGER NOT NULL,
         PRIMARY KEY (user_id, channel, day)",
    ),
    Step::Index("ix_notification_counters_day", "notification_counters", "day"),
    // The token is sealed; its digest finds it again.
    Step::Table(
        "push_devices",
        "id {id} PRIMARY KEY,
         user_id {id} NOT NULL,
         target VARCHAR(8) NOT NULL,
         platform VARCHAR(8) NOT NULL,
         token_hash VARCHAR(64) NOT NULL UNIQUE,
         key_id VARCHAR(32) NOT NULL,
         token {bytes} NOT NULL,
         created_at {instant} NOT NULL,
         seen_at {instant} NOT NULL,
         CHECK (target IN ('token', 'fid')),
         CHECK (platform IN ('android', 'ios', 'web'))",
    ),
    Step::Index("ix_push_devices_user", "push_devices", "user_id, seen_at"),
];

const DELIVERIES: &[Step] = &[
    // `due_at` tells when a row is next to be looked at: when it may be sent, or, while it is being sent, when whoever
    // sends it must have settled it.
    Step::Table(
        "notification_deliveries",
        "id {id} PRIMARY KEY,
         user_id {id} NOT NULL,
         kind VARCHAR(64) NOT NULL,
         event_key VARCHAR(190) NOT NULL,
         channel VARCHAR(16) NOT NULL,
         device_id {id} NULL,
         collapse_key VARCHAR(190) NULL,
         language VARCHAR(8) NOT NULL,
         params {json} NOT NULL,
         action VARCHAR(300) NULL,
         status VARCHAR(16) NOT NULL,
         reason VARCHAR(32) NULL,
         attempts INTEGER NOT NULL,
         provider_id VARCHAR(190) NULL,
         provider_rank INTEGER NOT NULL,
         last_error VARCHAR(64) NULL,
         lease_owner {id} NULL,
         due_at {instant} NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         CHECK (channel IN ('push', 'sms', 'email')),
         CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'withheld', 'dead', 'unknown')),
         CHECK ((due_at IS NOT NULL) = (status IN ('queued', 'sending'))),
         CHECK ((lease_owner IS NOT NULL) = (status = 'sending'))",
    ),
    Step::IndexWhere("ix_deliveries_due", "notification_deliveries", "due_at", "due_at IS NOT NULL"),
    Step::Index("ix_deliveries_user", "notification_deliveries", "user_id, id"),
    Step::Index("ix_deliveries_status", "notification_deliveries", "status, id"),
    Step::Index("ix_deliveries_created", "notification_deliveries", "created_at"),
    Step::IndexWhere(
        "ix_deliveries_collapse",
        "notification_deliveries",
        "user_id, collapse_key, due_at",
        "due_at IS NOT NULL",
    ),
];

const HOOKS: &[Step] = &[
    Step::Table(
        "hook_endpoints",
        "id {id} PRIMARY KEY,
         url {text} NOT NULL,
         description VARCHAR(200) NOT NULL,
         topics {json} NOT NULL,
         status VARCHAR(16) NOT NULL,
         key_id VARCHAR(32) NOT NULL,
         secret {bytes} NOT NULL,
         old_key_id VARCHAR(32) NULL,
         old_secret {bytes} NULL,
         old_secret_until {instant} NULL,
         failing_since {instant} NULL,
         version BIGINT NOT NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         CHECK (status IN ('enabled', 'disabled', 'failing'))",
    ),
    Step::Table(
        "hook_deliveries",
        "id {id} PRIMARY KEY,
         endpoint_id {id} NOT NULL,
         event_id {id} NOT NULL,
         kind VARCHAR(64) NOT NULL,
         body {text} NOT NULL,
         status VARCHAR(16) NOT NULL,
         attempts INTEGER NOT NULL,
         last_status INTEGER NULL,
         last_error VARCHAR(64) NULL,
         lease_owner {id} NULL,
         due_at {instant} NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         UNIQUE (endpoint_id, event_id),
         FOREIGN KEY (endpoint_id) REFERENCES hook_endpoints (id) ON DELETE CASCADE,
         CHECK (status IN ('queued', 'sending', 'delivered', 'dead', 'cancelled')),
         CHECK ((due_at IS NOT NULL) = (status IN ('queued', 'sending')))",
    ),
    Step::IndexWhere("ix_hook_deliveries_due", "hook_deliveries", "due_at", "due_at IS NOT NULL"),
    Step::Index("ix_hook_deliveries_endpoint", "hook_deliveries", "endpoint_id, id"),
    Step::Index("ix_hook_deliveries_created", "hook_deliveries", "created_at"),
];

const ANNOUNCEMENTS: &[Step] = &[
    Step::Table(
        "announcements",
        "id {id} PRIMARY KEY,
         title_en {text} NOT NULL,
         title_hi {text} NULL,
         body_en {text} NOT NULL,
         body_hi {text} NULL,
         action VARCHAR(300) NULL,
         audience {json} NOT NULL,
         in_app BOOLEAN NOT NULL,
         push BOOLEAN NOT NULL,
         priority INTEGER NOT NULL,
         dismissible BOOLEAN NOT NULL,
         status VARCHAR(16) NOT NULL,
         starts_at {instant} NULL,
         expires_at {instant} NULL,
         fan_out_owner {id} NULL,
         fan_out_until {instant} NULL,
         position_id {id} NULL,
         reached BIGINT NOT NULL,
         version BIGINT NOT NULL,
         created_by VARCHAR(64) NOT NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         CHECK (status IN ('draft', 'scheduled', 'sending', 'sent', 'stopped', 'expired')),
         CHECK (in_app OR push)",
    ),
    Step::Index("ix_announcements_status", "announcements", "status, id"),
    Step::Table(
        "announcement_dismissals",
        "announcement_id {id} NOT NULL,
         user_id {id} NOT NULL,
         dismissed_at {instant} NOT NULL,
         PRIMARY KEY (announcement_id, user_id),
         FOREIGN KEY (announcement_id) REFERENCES announcements (id)",
    ),
    Step::Index("ix_announcement_dismissals_user", "announcement_dismissals", "user_id, announcement_id"),
];

const DEVICES_OF_LOGINS: &[Step] = &[
    // A device goes with the login that it was registered through. One from before has none until it registers again,
    // as it does at its next start, and nothing is pushed to it until then.
    Step::Column("push_devices", "session_id {id} NULL"),
    Step::Index("ix_push_devices_session", "push_devices", "session_id"),
    // What an older key sealed is found by this, and nearly always nothing is.
    Step::Index("ix_push_devices_key", "push_devices", "key_id, id"),
];

const FORMER_CONTACTS: &[Step] = &[
    // Where to, sealed, for a message to a number or address that its person has just left; it goes with the need for
    // it. All others look their person's contact up.
    Step::Column("notification_deliveries", "former_key_id VARCHAR(32) NULL"),
    Step::Column("notification_deliveries", "former_contact {bytes} NULL"),
    // What an older key sealed is found by this, and nearly always nothing is.
    Step::IndexWhere(
        "ix_deliveries_former",
        "notification_deliveries",
        "former_key_id, id",
        "former_key_id IS NOT NULL",
    ),
];

const CHOICES_OF_KINDS: &[Step] = &[
    // What somebody chose for one kind. It comes before what they chose for its category.
    Step::Table(
        "notification_kind_preferences",
        "user_id {id} NOT NULL,
         kind VARCHAR(64) NOT NULL,
         channel VARCHAR(16) NOT NULL,
         enabled BOOLEAN NOT NULL,
         updated_at {instant} NOT NULL,
         PRIMARY KEY (user_id, kind, channel)",
    ),
];

const HOOKS_IN_ORDER: &[Step] = &[
    // The place of its event among all events, by which an endpoint's webhooks are sent.
    Step::Column("hook_deliveries", "event_sequence BIGINT NOT NULL DEFAULT 0"),
    Step::IndexWhere(
        "ix_hook_deliveries_next",
        "hook_deliveries",
        "endpoint_id, due_at",
        "due_at IS NOT NULL",
    ),
];

const DEAD_HOOKS: &[Step] = &[
    // The measurements count what was given up.
    Step::IndexWhere("ix_hook_deliveries_dead", "hook_deliveries", "status", "status = 'dead'"),
];

/// Each message has a job of its lane now, also one that was given up and may be revived; which lane makes no difference to
/// what is sent.
const LANES: &[Step] =
    &[Step::Each { sqlite: &[INTO_A_LANE], postgres: &[INTO_A_LANE], mariadb: &[INTO_A_LANE] }];

const INTO_A_LANE: &str = "UPDATE jobs SET kind = 'notify.deliver.push' WHERE kind IN ('notify.deliver', 'notify.deliver.critical')";
