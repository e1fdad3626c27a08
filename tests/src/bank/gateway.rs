//! The gateway as a process that is started, killed and started again on one address.

use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use marketplace::Failpoint;
use tokio::process::{Child, Command};

use super::PAUSE;

/// The signal that `abort` ends a process with. Like SIGKILL it runs no destructor and flushes nothing.
const SIGABRT: i32 = 6;

/// How often readiness is looked for: 30 s in all.
const LOOKS: u32 = 600;

/// The gateway's program, where and how it runs, and its process while it does.
#[derive(Debug)]
pub struct Gateway {
    pub(super) program: PathBuf,
    /// Where it runs: everything that it writes by default lands there, and so does its log.
    pub(super) folder: PathBuf,
    pub(super) base: String,
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) process: Option<Child>,
}

impl Gateway {
    /// Starts it and waits until it takes requests. With a failpoint, it ends itself there.
    ///
    /// # Errors
    /// When it ends at once, or is not ready in time.
    pub async fn start(&mut self, failpoint: Option<Failpoint>) -> anyhow::Result<()> {
        self.launch(failpoint)?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        let ready = format!("{}/readyz", self.base);
        for _ in 0..LOOKS {
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let process = self.process.as_mut().context("the gateway was not started")?;
            if let Some(status) = process.try_wait()? {
                bail!("the gateway ended before it was ready: {status}");
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("the gateway is not ready in time")
    }

    /// Starts it, and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&mut self, failpoint: Option<Failpoint>) -> anyhow::Result<()> {
        let mut command = self.command()?;
        if let Some(failpoint) = failpoint {
            command.env("DGT_FAILPOINT", failpoint.name());
        }
        self.process = Some(command.arg("serve").spawn().with_context(|| self.cannot_start())?);
        Ok(())
    }

    /// SIGKILLs it. That it was still running is part of what is tested.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        if let Some(status) = process.try_wait()? {
            bail!("the gateway ended by itself: {status}");
        }
        process.kill().await?;
        Ok(())
    }

    /// Waits for it to die at its failpoint.
    ///
    /// # Errors
    /// When it ends in another way.
    pub async fn dies(&mut self) -> anyhow::Result<()> {
        let status = match &mut self.process {
            Some(process) => process.wait().await?,
            None => bail!("the gateway was not started"),
        };
        self.process = None;
        ensure!(
            status.signal() == Some(SIGABRT),
            "the gateway ended otherwise than by its failpoint: {status}"
        );
        Ok(())
    }

    /// Runs one of its commands to the end.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<ExitStatus> {
        let mut command = self.command()?;
        command.args(arguments).status().await.with_context(|| self.cannot_start())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let log = self.log()?;
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .env_remove("DGT_FAILPOINT")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    fn log(&self) -> anyhow::Result<File> {
        Ok(OpenOptions::new().create(true).append(true).open(self.folder.join("gateway.log"))?)
    }

    fn cannot_start(&self) -> String {
        format!("{} cannot be started", self.program.display())
    }
}
