//! A database for one test: a fresh file on SQLite, a copy of a migrated template on PostgreSQL, a fresh database
//! on MariaDB.

use std::ops::Deref;
use std::path::PathBuf;

use migrations::Scope;
use sea_orm::ConnectionTrait;
use store::{Database, DatabaseConfig, Engine};

/// A migrated database that nobody else uses. Dereferences to [`Database`].
#[derive(Debug)]
pub struct TestDb {
    db: Database,
    name: String,
    url: String,
}

impl Deref for TestDb {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.db
    }
}

impl TestDb {
    /// Makes one. A server that is not there stops the test: nothing is skipped.
    pub async fn start(engine: Engine, scope: Scope) -> Self {
        let name = format!("dgt_{}", kernel::Ambient::system().new_uuid().simple());
        let url = match engine {
            Engine::Sqlite => sqlite(&name, scope).await,
            Engine::Postgres => postgres(&name, scope).await,
            Engine::MariaDb => mariadb(&name, scope).await,
        };
        let db = Database::connect(&config(&url)).await.unwrap();
        Self { db, name, url }
    }

    /// Where it is, for a second connection or another process.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The connection itself, for what takes one of its own.
    pub fn database(&self) -> &Database {
        &self.db
    }

    /// Removes it. A test that fails leaves its database behind to be looked at.
    pub async fn dispose(self) {
        let Self { db, name, .. } = self;
        let engine = db.engine();
        db.close().await.unwrap();
        match engine {
            Engine::Sqlite => {
                let stem = sqlite_path(&name);
                for suffix in ["", "-wal", "-shm"] {
                    let mut file = stem.clone().into_os_string();
                    file.push(suffix);
                    let _ = std::fs::remove_file(file);
                }
            }
            Engine::Postgres => {
                run(&server_url(engine), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            }
            Engine::MariaDb => run(&server_url(engine), &format!("DROP DATABASE IF EXISTS {name}")).await,
        }
    }
}

fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig {
        max_connections: 8,
        acquire_timeout: std::time::Duration::from_secs(20),
        ..DatabaseConfig::new(url)
    }
}

/// Where `make services` says the server is.
fn server_url(engine: Engine) -> String {
    let variable = match engine {
        Engine::Sqlite => return String::new(),
        Engine::Postgres => "DGT_TEST_POSTGRES_URL",
        Engine::MariaDb => "DGT_TEST_MARIADB_URL",
    };
    std::env::var(variable).ok().or_else(|| from_services(variable)).unwrap_or_else(|| {
        panic!("{variable} is not known: `make services` starts the servers that the tests need")
    })
}

/// What `make services` wrote down, for tests that are run without it.
fn from_services(variable: &str) -> Option<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.services/env");
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("export {variable}=")))?;
    Some(value.trim_matches('\'').to_owned())
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

async fn run(url: &str, sql: &str) {
    let db = Database::connect(&DatabaseConfig { max_connections: 1, ..config(url) }).await.unwrap();
    db.schema_connection().execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

fn scratch() -> PathBuf {
    // Memory where there is some: the tests are about behaviour, and the durable runs have their own place.
    let shm = PathBuf::from("/dev/shm");
    let base = if shm.is_dir() { shm } else { std::env::temp_dir() };
    let folder = base.join("dgt-test-sqlite");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn sqlite_path(name: &str) -> PathBuf {
    scratch().join(format!("{name}.db"))
}

/// A copy of a template that the first test of its kind migrated.
async fn sqlite(name: &str, scope: Scope) -> String {
    let template = scratch().join(format!("template_{}.db", migrations::fingerprint(scope, Engine::Sqlite)));
    if !template.exists() {
        let fresh = scratch().join(format!("{name}_template.db"));
        let url = format!("sqlite://{}", fresh.display());
        migrations::migrate(&config(&url), scope).await.unwrap();
        // Another process may have been quicker; both made the same.
        std::fs::rename(&fresh, &template).unwrap();
        let _ = std::fs::remove_file(format!("{}.migrate.lock", fresh.display()));
    }
    let path = sqlite_path(name);
    std::fs::copy(&template, &path).unwrap();
    format!("sqlite://{}", path.display())
}

/// `CREATE DATABASE … TEMPLATE`, from a template that the first test of its kind migrated.
async fn postgres(name: &str, scope: Scope) -> String {
    let server = server_url(Engine::Postgres);
    let template = format!("dgt_template_{}", migrations::fingerprint(scope, Engine::Postgres));
    let db = Database::connect(&DatabaseConfig { max_connections: 1, ..config(&server) }).await.unwrap();
    let exists = async || {
        let select =
            db.engine().statement("SELECT 1 FROM pg_database WHERE datname = ?", [template.as_str().into()]);
        db.schema_connection().query_one_raw(select).await.unwrap().is_some()
    };
    if !exists().await {
        // One at a time: whoever waited finds it made.
        db.schema_connection().execute_unprepared("SELECT pg_advisory_lock(4017)").await.unwrap();
        if !exists().await {
            let fresh = format!("{name}_template");
            let create = format!("CREATE DATABASE {fresh}");
            db.schema_connection().execute_unprepared(&create).await.unwrap();
            migrations::migrate(&config(&with_database(&server, &fresh)), scope).await.unwrap();
            let rename = format!("ALTER DATABASE {fresh} RENAME TO {template}");
            db.schema_connection().execute_unprepared(&rename).await.unwrap();
        }
        db.schema_connection().execute_unprepared("SELECT pg_advisory_unlock(4017)").await.unwrap();
    }
    let create = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
    db.schema_connection().execute_unprepared(&create).await.unwrap();
    db.close().await.unwrap();
    with_database(&server, name)
}

/// MariaDB has no templates: the migrations are run each time.
async fn mariadb(name: &str, scope: Scope) -> String {
    let server = server_url(Engine::MariaDb);
    run(&server, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")).await;
    let url = with_database(&server, name);
    migrations::migrate(&config(&url), scope).await.unwrap();
    url
}
