//! The tables of identity: people, one-time codes, logins and second factors.

use crate::sql::{SqlMigration, Step};

pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration::new("identity_0001_people", PEOPLE),
    SqlMigration::new("identity_0002_codes", CODES),
    SqlMigration::new("identity_0003_logins", LOGINS),
    SqlMigration::new("identity_0004_no_tokens_of_devices", NO_TOKENS_OF_DEVICES),
    SqlMigration::new("identity_0005_places", PLACES),
    SqlMigration::new("identity_0006_revoked_sessions", REVOKED_SESSIONS),
];

const PEOPLE: &[Step] = &[
    Step::Table(
        "users",
        "id {id} PRIMARY KEY,
         phone VARCHAR(16) NULL UNIQUE,
         email VARCHAR(254) NULL UNIQUE,
         phone_verified_at {instant} NULL,
         email_verified_at {instant} NULL,
         name VARCHAR(80) NOT NULL,
         name_folded VARCHAR(240) NOT NULL,
         avatar_photo {id} NULL,
         avatar_file VARCHAR(80) NULL,
         city VARCHAR(80) NULL,
         state VARCHAR(80) NULL,
         pincode VARCHAR(6) NULL,
         language VARCHAR(8) NOT NULL,
         role VARCHAR(16) NOT NULL,
         status VARCHAR(16) NOT NULL,
         status_reason {text} NULL,
         suspended_until {instant} NULL,
         version BIGINT NOT NULL,
         last_login_at {instant} NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         CHECK (role IN ('USER', 'MODERATOR', 'FINANCE', 'ADMIN', 'SUPER_ADMIN')),
         CHECK (status IN ('ACTIVE', 'SUSPENDED', 'BANNED', 'DELETED')),
         CHECK ((avatar_photo IS NULL) = (avatar_file IS NULL)),
         CHECK ((suspended_until IS NOT NULL) = (status = 'SUSPENDED')),
         CHECK (phone IS NOT NULL OR email IS NOT NULL OR status = 'DELETED')",
    ),
    Step::Index("ix_users_role", "users", "role, id"),
    Step::Index("ix_users_status", "users", "status, id"),
    // One row per authenticator; the secret is sealed, its key named beside it.
    Step::Table(
        "totp_factors",
        "user_id {id} PRIMARY KEY,
         key_id VARCHAR(32) NOT NULL,
         secret {bytes} NOT NULL,
         last_step BIGINT NOT NULL,
         enrolled_at {instant} NOT NULL,
         confirmed_at {instant} NULL,
         FOREIGN KEY (user_id) REFERENCES users (id)",
    ),
    Step::Table(
        "totp_recovery_codes",
        "user_id {id} NOT NULL,
         code_hash VARCHAR(64) NOT NULL,
         used_at {instant} NULL,
         PRIMARY KEY (user_id, code_hash),
         FOREIGN KEY (user_id) REFERENCES users (id)",
    ),
];

const CODES: &[Step] = &[
    // One row per contact and purpose, so that a new code takes the place of the old one.
    Step::Table(
        "otp_codes",
        "slot VARCHAR(64) PRIMARY KEY,
         id {id} NOT NULL UNIQUE,
         code_hash VARCHAR(64) NOT NULL,
         attempts INTEGER NOT NULL,
         created_at {instant} NOT NULL,
         expires_at {instant} NOT NULL,
         resend_at {instant} NOT NULL,
         used_at {instant} NULL",
    ),
    Step::Index("ix_otp_codes_expires", "otp_codes", "expires_at"),
    // How often something was done in the window that is open: sends and wrong guesses.
    Step::Table(
        "identity_counters",
        "scope VARCHAR(32) NOT NULL,
         subject VARCHAR(64) NOT NULL,
         n INTEGER NOT NULL,
         window_ends_at {instant} NOT NULL,
         PRIMARY KEY (scope, subject)",
    ),
    Step::Index("ix_identity_counters_ends", "identity_counters", "window_ends_at"),
];

const LOGINS: &[Step] = &[
    Step::Table(
        "sessions",
        "id {id} PRIMARY KEY,
         user_id {id} NOT NULL,
         generation BIGINT NOT NULL,
         created_at {instant} NOT NULL,
         refreshed_at {instant} NOT NULL,
         expires_at {instant} NOT NULL,
         revoked_at {instant} NULL,
         revoked_reason VARCHAR(32) NULL,
         stepped_up_until {instant} NULL,
         device_token {text} NULL,
         user_agent VARCHAR(256) NULL,
         client_address VARCHAR(64) NULL,
         FOREIGN KEY (user_id) REFERENCES users (id)",
    ),
    Step::Index("ix_sessions_user", "sessions", "user_id, id"),
    Step::Index("ix_sessions_expires", "sessions", "expires_at"),
];

/// The tokens of devices are kept sealed, with the devices: what stood in the clear goes, and nothing writes it any more.
const NO_TOKENS_OF_DEVICES: &[Step] =
    &[Step::Each { sqlite: &[NO_TOKEN], postgres: &[NO_TOKEN], mariadb: &[NO_TOKEN] }];

const NO_TOKEN: &str = "UPDATE sessions SET device_token = NULL WHERE device_token IS NOT NULL";

// A place as it is compared: without the spaces around it, in small letters.
const PLACES: &[Step] = &[
    Step::Column("users", "city_key VARCHAR(240) NULL"),
    Step::Column("users", "state_key VARCHAR(240) NULL"),
    Step::Each { sqlite: &[FOLD_PLACES], postgres: &[FOLD_PLACES], mariadb: &[FOLD_PLACES] },
    Step::Index("ix_users_city", "users", "city_key, id"),
    Step::Index("ix_users_state", "users", "state_key, id"),
];

const FOLD_PLACES: &str = "UPDATE users SET city_key = LOWER(TRIM(city)), state_key = LOWER(TRIM(state))";

const REVOKED_SESSIONS: &[Step] = &[
    // Every second it is looked for sockets whose session was revoked.
    Step::IndexWhere("ix_sessions_revoked", "sessions", "revoked_at", "revoked_at IS NOT NULL"),
];
