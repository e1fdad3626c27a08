//! `make demo`: the main job over HTTP against a running system, told step by step.

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

use acceptance::story::{Stage, main_job};

/// What the environment says, or what `make run` starts.
struct Settings {
    gateway: String,
    sandbox: String,
    super_admin: String,
    state: PathBuf,
}

impl Settings {
    fn read() -> Self {
        let or = |name: &str, usual: &str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| usual.to_owned())
        };
        Self {
            gateway: or("DGT_DEMO_URL", "http://127.0.0.1:4000"),
            sandbox: or("DGT_DEMO_SANDBOX_URL", "http://127.0.0.1:4010"),
            super_admin: or("DGT_DEMO_SUPER_ADMIN_PHONE", "+919000000001"),
            state: or("DGT_DEMO_STATE", "data/demo-state.json").into(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let settings = Settings::read();
    let mut stage = match Stage::new(&settings.gateway, &settings.sandbox, &settings.state) {
        Ok(stage) => stage,
        Err(error) => return fail(&format!("The demo cannot begin: {error:#}.")),
    };
    match main_job(&mut stage, &settings.super_admin).await {
        Ok(()) => {
            stage.tale.chapter(&format!("All {} steps went well.", stage.tale.steps()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("\nThe demo failed at {}: {error:#}", stage.tale.place())),
    }
}

fn fail(sentence: &str) -> ExitCode {
    // Nothing can be done for a reader who has gone.
    let _ = writeln!(stderr(), "{sentence}");
    ExitCode::FAILURE
}
