//! The tables of the platform: settings that staff changed, and what they were.

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[SqlMigration::new("platform_0001_settings", SETTINGS)];

const SETTINGS: &[Step] = &[
    Step::Table(
        "settings",
        "setting_key VARCHAR(64) PRIMARY KEY,
         value {json} NOT NULL,
         version BIGINT NOT NULL,
         updated_at {instant} NOT NULL,
         updated_by VARCHAR(64) NOT NULL,
         CHECK (version >= 0)",
    ),
    Step::Table(
        "setting_history",
        "setting_key VARCHAR(64) NOT NULL,
         version BIGINT NOT NULL,
         value {json} NOT NULL,
         changed_at {instant} NOT NULL,
         changed_by VARCHAR(64) NOT NULL,
         PRIMARY KEY (setting_key, version),
         FOREIGN KEY (setting_key) REFERENCES settings (setting_key)",
    ),
];
