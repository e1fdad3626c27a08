//! The tables of identity.

use crate::sql::SqlMigration;

pub(crate) const MIGRATIONS: &[SqlMigration] = &[];
