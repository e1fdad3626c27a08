//! What tests stand on: a database of one's own on each engine, a clock that is set by hand, seeded randomness.
//!
//! A development dependency only. A test that touches the database is written once, inside
//! [`on_every_engine!`], and runs on SQLite, PostgreSQL and MariaDB; an engine that is not there fails it.

mod db;
mod fake;
mod memory;
pub mod pictures;
pub mod raw;
pub mod receiver;

pub use db::TestDb;
pub use fake::{FakeClock, SeededEntropy, ambient};
pub use memory::PeakMemory;
pub use migrations::{Domain, Scope};
pub use store::Engine;

/// Writes one test per engine for each function: `name::sqlite`, `name::postgres` and `name::mariadb`.
///
/// ```
/// testkit::on_every_engine! { testkit::Scope::Store =>
///     async fn the_database_answers(db: TestDb) {
///         db.ping().await.unwrap();
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_every_engine {
    ($scope:expr => $($(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test need not use everything around it")]
            use super::*;

            async fn test($db: &$crate::TestDb) $body

            async fn run(engine: $crate::Engine) {
                let db = $crate::TestDb::start(engine, $scope).await;
                test(&db).await;
                db.dispose().await;
            }

            #[tokio::test]
            async fn sqlite() {
                run($crate::Engine::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                run($crate::Engine::Postgres).await;
            }

            #[tokio::test]
            async fn mariadb() {
                run($crate::Engine::MariaDb).await;
            }
        }
    )+};
}
