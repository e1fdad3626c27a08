//! The tables of platform.

use crate::sql::SqlMigration;

pub(crate) const MIGRATIONS: &[SqlMigration] = &[];
