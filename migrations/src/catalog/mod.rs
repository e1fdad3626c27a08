//! The tables of catalog.

mod boosts;
mod goods;
mod photos;
mod reminders;
mod states;

use crate::sql::SqlMigration;

pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration::new("catalog_0001_goods", goods::STEPS),
    SqlMigration::new("catalog_0002_photos", photos::STEPS),
    SqlMigration::new("catalog_0003_states", states::STEPS),
    SqlMigration::new("catalog_0004_boosts", boosts::STEPS),
    SqlMigration::new("catalog_0005_reminders", reminders::STEPS),
];
