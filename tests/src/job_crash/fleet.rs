//! The worker processes: started, killed and started again, paused and woken. Only pids of our own are signalled.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use tokio::process::{Child, Command};

/// What a worker process is told.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// The database.
    #[arg(long)]
    pub url: String,
    /// For how long a worker takes a job, in milliseconds.
    #[arg(long, default_value_t = 1_500)]
    pub lease_ms: u64,
    /// The longest work on one job, in milliseconds.
    #[arg(long, default_value_t = 150)]
    pub work_ms: u64,
    /// Jobs under way at a time in each worker.
    #[arg(long, default_value_t = 8)]
    pub concurrency: usize,
}

/// Several workers, each a process.
#[derive(Debug)]
pub struct Fleet {
    program: PathBuf,
    args: WorkerArgs,
    members: Vec<Member>,
    started: i32,
    /// How many were killed.
    pub kills: u32,
    /// How many were paused.
    pub pauses: u32,
}

#[derive(Debug)]
struct Member {
    process: Child,
    paused_until: Option<Instant>,
}

impl Fleet {
    /// Starts so many.
    ///
    /// # Errors
    /// When the program `job_worker` is not beside this one.
    pub fn start(args: WorkerArgs, size: usize) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("job_worker");
        let mut fleet = Self { program, args, members: Vec::new(), started: 0, kills: 0, pauses: 0 };
        for _ in 0..size {
            let member = fleet.spawn()?;
            fleet.members.push(member);
        }
        Ok(fleet)
    }

    /// A worker ends when its standard input does, so none outlives this process.
    fn spawn(&mut self) -> anyhow::Result<Member> {
        self.started += 1;
        let process = Command::new(&self.program)
            .args(["--url", &self.args.url])
            .args(["--lease-ms", &self.args.lease_ms.to_string()])
            .args(["--work-ms", &self.args.work_ms.to_string()])
            .args(["--concurrency", &self.args.concurrency.to_string()])
            .args(["--number", &self.started.to_string()])
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        Ok(Member { process, paused_until: None })
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// SIGKILLs one and starts another in its place; a paused one is left alone, as its awakening is what the fence
    /// is there for.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub async fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        if self.members.get(index).is_none_or(|member| member.paused_until.is_some()) {
            return Ok(());
        }
        let fresh = self.spawn()?;
        if let Some(member) = self.members.get_mut(index) {
            let mut old = std::mem::replace(member, fresh);
            old.process.kill().await?;
            self.kills += 1;
        }
        Ok(())
    }

    /// SIGSTOPs one for a while, unless it is paused already or the only one awake.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub async fn pause(&mut self, index: usize, pause: Duration) -> anyhow::Result<()> {
        let awake = self.members.iter().filter(|member| member.paused_until.is_none()).count();
        if let Some(member) = self.members.get_mut(index)
            && member.paused_until.is_none()
            && awake > 1
        {
            signal(&member.process, "STOP").await?;
            member.paused_until = Some(Instant::now() + pause);
            self.pauses += 1;
        }
        Ok(())
    }

    /// SIGCONTs those whose pause is over.
    ///
    /// # Errors
    /// When the signal cannot be sent, or a worker ended by itself.
    pub async fn wake(&mut self) -> anyhow::Result<()> {
        for member in &mut self.members {
            if let Some(status) = member.process.try_wait()? {
                bail!("a worker ended by itself: {status}");
            }
            if member.paused_until.is_some_and(|until| until <= Instant::now()) {
                signal(&member.process, "CONT").await?;
                member.paused_until = None;
            }
        }
        Ok(())
    }

    /// Wakes all and lets those that were paused come to the end of their tries, then has all of them stop.
    ///
    /// # Errors
    /// When one does not stop in time, or not well.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for member in &mut self.members {
            member.paused_until = member.paused_until.map(|_| Instant::now());
        }
        self.wake().await?;
        tokio::time::sleep(Duration::from_millis(self.args.lease_ms + self.args.work_ms)).await;
        for mut member in self.members {
            drop(member.process.stdin.take());
            let ended = tokio::time::timeout(Duration::from_secs(20), member.process.wait()).await;
            let status = ended.context("a worker did not stop within 20 s")??;
            if !status.success() {
                bail!("a worker ended badly: {status}");
            }
        }
        Ok(())
    }
}

/// Sends a signal by the shell's own `kill`, as the standard library knows SIGKILL alone.
async fn signal(process: &Child, name: &str) -> anyhow::Result<()> {
    let pid = process.id().context("the worker has ended")?;
    let sent = Command::new("/bin/sh").args(["-c", &format!("kill -{name} {pid}")]).status().await?;
    if !sent.success() {
        bail!("SIG{name} could not be sent to {pid}");
    }
    Ok(())
}
