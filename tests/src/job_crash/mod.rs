//! Jobs under workers that are killed and paused: what the run needs beside its two programs, `job_crash` (which
//! drives it) and `job_worker` (which is killed).

mod asking;
mod effect;
mod fleet;
mod tables;
mod verdict;

pub use asking::{Asked, ask_for_jobs};
pub use effect::CountedEffect;
pub use fleet::{Fleet, WorkerArgs};
pub use tables::{create_tables, unfinished_jobs};
pub use verdict::{Figures, judge};

use std::time::Duration;

use store::{Database, DatabaseConfig, StoreError};

/// The kind of the run's jobs.
pub(crate) const KIND: &str = "crash-test";

/// Connects as every process of the run does. A paused process may hold a lock for as long as it is paused, so
/// waiting for a connection is no failure here.
///
/// # Errors
/// When the database does not answer.
pub async fn connect(url: &str) -> Result<Database, StoreError> {
    let config = DatabaseConfig { acquire_timeout: Duration::from_secs(30), ..DatabaseConfig::new(url) };
    Database::connect(&config).await
}
