//! Opening: a fresh database, the sandbox, and a gateway that is ready.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use kernel::Ambient;
use sea_orm::ConnectionTrait;
use store::{Database, DatabaseConfig, StoreError};
use tokio::process::{Child, Command};

use super::razorpay::{self, RazorpayBooks};
use super::{Gateway, PAUSE, Place};
use crate::client::Client;
use crate::inbox::Inbox;

/// Below the range from which outgoing connections take theirs.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// What a run is told of its system.
#[derive(Debug, Clone, Args)]
pub struct SystemArgs {
    /// An empty database.
    #[arg(long)]
    pub url: String,
    /// The gateway's program; the one beside this program if it is left out.
    #[arg(long)]
    pub gateway: Option<PathBuf>,
    /// A folder for what the processes write, their logs included.
    #[arg(long)]
    pub folder: PathBuf,
}

/// A system that runs.
#[derive(Debug)]
pub struct Opened {
    /// The gateway's process.
    pub gateway: Gateway,
    /// Where to find everything.
    pub place: Place,
    /// The sandbox's process; it ends when this is dropped.
    pub sandbox: Child,
}

/// Prepares the database and starts both processes. What sellers hand in is on the market at once.
///
/// # Errors
/// When a program is missing, or does not come up.
pub async fn open(args: &SystemArgs) -> anyhow::Result<Opened> {
    let ambient = Ambient::system();
    let (gateway, sandbox, smtp) = (free_port(&ambient)?, free_port(&ambient)?, free_port(&ambient)?);
    std::fs::create_dir_all(args.folder.join("data"))?;
    let program = args.gateway.clone().map_or_else(|| beside("gateway"), Ok)?;
    let (base, desk) = (format!("http://{gateway}"), format!("http://{sandbox}"));
    let sandbox = start_sandbox(&args.folder, sandbox, smtp, &base)?;
    let settings = settings(&args.url, gateway, &desk, smtp);
    let mut gateway = Gateway {
        program: program.canonicalize()?,
        folder: args.folder.clone(),
        base,
        settings,
        process: None,
    };
    for command in ["migrate", "seed"] {
        let status = gateway.run(&[command]).await?;
        ensure!(status.success(), "`gateway {command}` failed: {status}; see gateway.log");
    }
    let desk = Client::connecting_anew(&desk)?;
    let place = Place {
        gateway: Client::new(&gateway.base)?,
        inbox: Inbox::new(desk.clone()),
        razorpay: RazorpayBooks::new(desk.clone()),
        sandbox: desk,
        db: Database::connect(&DatabaseConfig {
            acquire_timeout: Duration::from_secs(30),
            ..DatabaseConfig::new(&args.url)
        })
        .await?,
        ambient,
    };
    let at_once = place.db.engine().statement("UPDATE categories SET auto_approve = ?", [true.into()]);
    place
        .db
        .in_txn(async |txn| Ok::<_, StoreError>(txn.execute_raw(at_once.clone()).await.map(drop)?))
        .await?;
    await_sandbox(&place).await?;
    gateway.start(None).await?;
    Ok(Opened { gateway, place, sandbox })
}

fn settings(url: &str, bind: SocketAddr, sandbox: &str, smtp: SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("DGT__DATABASE__URL", url.to_owned()),
        ("DGT__SERVER__BIND", bind.to_string()),
        ("DGT__TWILIO__BASE_URL", sandbox.to_owned()),
        ("DGT__SMTP__URL", format!("smtp://{smtp}")),
        ("DGT__RAZORPAY__BASE_URL", sandbox.to_owned()),
        ("DGT__RAZORPAY__KEY_ID", razorpay::KEY_ID.to_owned()),
        ("DGT__RAZORPAY__KEY_SECRET", razorpay::KEY_SECRET.to_owned()),
        ("DGT__RAZORPAY__WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET.to_owned()),
        // Everybody here has one address; the limits are tested elsewhere.
        ("DGT__RATE_LIMIT__ENABLED", "false".to_owned()),
        ("DGT__AUTH__OTP_PER_CLIENT_HOUR", "10000".to_owned()),
        ("DGT__LOG__FILTER", "warn".to_owned()),
    ]
}

fn start_sandbox(folder: &Path, bind: SocketAddr, smtp: SocketAddr, gateway: &str) -> anyhow::Result<Child> {
    let log = std::fs::File::create(folder.join("sandbox.log"))?;
    let program = beside("sandbox")?;
    Command::new(&program)
        .args(["--bind", &bind.to_string(), "--smtp-bind", &smtp.to_string()])
        .env("DGT__SANDBOX__RAZORPAY_KEY_ID", razorpay::KEY_ID)
        .env("DGT__SANDBOX__RAZORPAY_KEY_SECRET", razorpay::KEY_SECRET)
        .env("DGT__SANDBOX__RAZORPAY_WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET)
        .env("DGT__SANDBOX__RAZORPAY_WEBHOOK_URL", format!("{gateway}/api/payments/webhook"))
        // The gateway is away for moments, not for hours.
        .env("DGT__SANDBOX__RAZORPAY_WEBHOOK_RETRY_MS", "200")
        .env("DGT__SANDBOX__RAZORPAY_REFUND_DELAY_MS", "1000")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))
}

async fn await_sandbox(place: &Place) -> anyhow::Result<()> {
    for _ in 0..200 {
        if place.sandbox.get("/livez").done().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("the sandbox is not ready in time")
}

fn beside(name: &str) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// An address on which nobody listens. Chosen at random, so that runs at the same time hardly meet.
fn free_port(ambient: &Ambient) -> anyhow::Result<SocketAddr> {
    for _ in 0..100 {
        let port = u16::try_from(ambient.random_below(u64::from(PORTS.end - PORTS.start)))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORTS.start + port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("there is no free port from {} to {}", PORTS.start, PORTS.end)
}
