//! The command line of the gateway.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use gateway::config::{self, Config};
use gateway::{AppState, connect, marketplace, openapi, telemetry};
use kernel::{Ambient, Phone};
use ledger::{Progress, Report};
use mimalloc::MiMalloc;
use secrecy::ExposeSecret;
use store::{Database, DatabaseConfig};

/// Many small pieces that live long, as sockets have them, take less room in it than in the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The server of DGT Marketplace.
///
/// Settings come from defaults, then the file given with --config, then the environment: DGT__SECTION__KEY, such as
/// DGT__DATABASE__URL, DGT__SERVER__BIND or DGT__PROFILE. See .env.example for all of them.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    /// A TOML file with settings.
    #[arg(long, global = true, env = "DGT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API, and run background jobs beside it.
    Serve {
        /// Leave background jobs to other processes, started with `work`.
        #[arg(long)]
        no_workers: bool,
    },
    /// Run background jobs alone.
    Work,
    /// Bring the database's schema up to date.
    Migrate,
    /// Write what a marketplace starts with: categories, settings, and the super admin given by --admin-phone.
    /// Running it again changes nothing.
    Seed {
        /// The mobile number of the first super admin.
        #[arg(long, default_value = "+919000000001", value_parser = phone)]
        admin_phone: Phone,
    },
    /// Make somebody super admin by mobile number.
    CreateAdmin {
        /// The mobile number, such as +919876543210.
        #[arg(long, value_parser = phone)]
        phone: Phone,
    },
    /// Check every row of the ledger against every other, while it goes on being used. Names the first row that is
    /// wrong and fails, or says what was found right.
    VerifyLedger,
    /// Print the OpenAPI document.
    Openapi,
    /// Check the configuration and everything it names, and say what is wrong.
    Doctor,
}

fn phone(text: &str) -> Result<Phone, kernel::ParseError> {
    Phone::parse(text)
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing else may be listening: a failed start must be seen whatever the log's settings are.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Command::Openapi = cli.command {
        return print(&openapi::json()?);
    }
    let config = config::load(cli.config.as_deref())?;
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        bail!("another TLS provider is installed already");
    }
    telemetry::start_log(&config.log).context("DGT__LOG__FILTER cannot be read")?;
    match cli.command {
        Command::Serve { no_workers } => Ok(gateway::serve(start(config).await?, !no_workers).await?),
        Command::Work => Ok(gateway::work(start(config).await?).await?),
        Command::Migrate => migrate(&config).await,
        Command::Seed { admin_phone } => {
            let market = marketplace(&config, ready_database(&config).await?, Ambient::system()).await?;
            market.seed(&admin_phone).await?;
            tracing::info!("seeded: categories, settings and the super admin are there");
            Ok(())
        }
        Command::CreateAdmin { phone } => {
            let market = marketplace(&config, ready_database(&config).await?, Ambient::system()).await?;
            let user = market.create_super_admin(&phone).await?;
            tracing::info!(%user, "this person is super admin now; they log in with their mobile number");
            Ok(())
        }
        Command::VerifyLedger => verify_ledger(&config).await,
        Command::Doctor => doctor(&config).await,
        Command::Openapi => Ok(()),
    }
}

/// Everything a process that serves or works needs.
async fn start(config: Config) -> anyhow::Result<AppState> {
    let metrics = telemetry::start_metrics()?;
    let db = ready_database(&config).await?;
    let ambient = Ambient::system();
    let market = marketplace(&config, db.clone(), ambient.clone()).await?;
    Ok(AppState::new(config, db, ambient, market, metrics)?)
}

/// Connects; brings the schema up to date first where that is wanted, and refuses an outdated one where it is not.
async fn ready_database(config: &Config) -> anyhow::Result<Database> {
    if config.database.migrate_at_start {
        migrate(config).await?;
    }
    current_database(config).await
}

/// Connects, and changes nothing: an outdated schema is refused.
async fn current_database(config: &Config) -> anyhow::Result<Database> {
    let db = connect(config).await.context("the database cannot be reached; see DGT__DATABASE__URL")?;
    if !migrations::is_current(&db).await? {
        bail!("the schema is not up to date: run `gateway migrate` first");
    }
    Ok(db)
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let url = config.database.url.expose_secret();
    if let Some(path) = url.strip_prefix("sqlite://")
        && let Some(folder) = std::path::Path::new(path.split('?').next().unwrap_or(path)).parent()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    migrations::migrate(&DatabaseConfig::new(url), migrations::Scope::All)
        .await
        .context("cannot migrate the database")?;
    tracing::info!("the schema is up to date");
    Ok(())
}

/// Checks the ledger; tells how far it has come on standard error.
async fn verify_ledger(config: &Config) -> anyhow::Result<()> {
    let market = marketplace(config, current_database(config).await?, Ambient::system()).await?;
    let tell = |progress: Progress| {
        // Nobody may be listening: the check goes on all the same.
        let _ = writeln!(std::io::stderr(), "{:>12} {} are right", progress.checked, progress.part.as_str());
    };
    let report = market.verify_books(tell).await.context("the ledger could not be checked")?;
    if let Some(wrong) = &report.first_wrong {
        bail!("the ledger is wrong: {wrong}");
    }
    let Report { journals, postings, seals, holds, wallets, entries, accounts, deltas, .. } = report;
    if let Some(hash) = &report.newest_seal {
        print(&format!("the newest seal is number {seals}, {hash}: keep it outside the database"))?;
    }
    print(&format!(
        "the ledger is right: {journals} journals with {postings} postings under {seals} seals, {wallets} wallets with \
         {entries} entries, {holds} holds, {accounts} house accounts with {deltas} deltas to be folded"
    ))
}

/// Looks at everything the configuration names.
async fn doctor(config: &Config) -> anyhow::Result<()> {
    print(&format!("profile        {:?}", config.profile))?;
    let db = connect(config).await.context("database: cannot be reached; see DGT__DATABASE__URL")?;
    print(&format!("database       {} answers", db.engine()))?;
    if !migrations::is_current(&db).await? {
        bail!("the schema is not up to date: run `gateway migrate`");
    }
    print("schema         up to date")?;
    marketplace(config, db, Ambient::system()).await?;
    print("keys           can be read")?;
    print("media folder   can be used")?;
    print("all is well")
}

/// Writes to standard output for whoever called; a reader that has gone away is no error of ours.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
