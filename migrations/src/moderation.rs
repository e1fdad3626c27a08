//! The tables of moderation.

use crate::sql::SqlMigration;

pub(crate) const MIGRATIONS: &[SqlMigration] = &[];
