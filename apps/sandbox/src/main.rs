//! The `sandbox` program: runs the stand-ins until Ctrl-C or SIGTERM.

use std::io::IsTerminal;

use anyhow::Context;
use clap::Parser;
use sandbox::{Sandbox, SandboxConfig};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Stand-ins for Razorpay, for Twilio, for Firebase and for a mail server, with an inbox and a page to pay on.
#[derive(Parser)]
#[command(name = "sandbox", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    config: SandboxConfig,
}

const AFTER_HELP: &str = "\
HTTP:
  POST   /2010-04-01/Accounts/{Sid}/Messages.json        send a message, as to Twilio
  GET    /2010-04-01/Accounts/{Sid}/Messages.json        the list of them, paged
  GET    /2010-04-01/Accounts/{Sid}/Messages/{Sid}.json  one of them
  POST   /token, /v1/projects/{project}/messages:send    Google's access tokens, Firebase Cloud Messaging
  POST   /iid/v1:batchAdd, /iid/v1:batchRemove           its topics
  *      /v1/orders, /v1/payments, /v1/refunds           Razorpay's API
  GET    /pay/{order}                                    its checkout: pay, fail, be captured late
  GET    /inbox?channel=sms|email|push&to=...            what arrived, newest first: JSON, or a page for a browser
  DELETE /inbox                                          empties it
  POST   /control/faults                                 {\"target\": \"twilio\"|\"smtp\"|\"razorpay\"|\"fcm\", \"delayMs\", \"error\", \"drop\", \"duplicate\", \"times\",
                                                         and for razorpay \"after\", \"call\": \"order\"|\"capture\"|\"refund\"|\"read\"}
  GET    /control/faults                                 the faults in force
  DELETE /control/faults                                 clears them
  POST   /control/fcm/tokens                             {\"token\", \"state\": \"alive\"|\"unregistered\"|\"senderMismatch\"}
  GET    /control/fcm/service-account                    the service account's key, for the gateway's configuration
  POST   /control/twilio/callbacks                       {\"outcome\": \"delivered\"|\"undelivered\"|\"failed\", \"errorCode\", \"duplicate\", \"shuffle\", \"delayMs\", \"drop\"}
  POST   /control/orders/{id}/pay                        {\"outcome\": \"success\"|\"authorized\"|\"failure\"|\"late\", \"method\", \"amount\", \"settleAfterMs\", \"webhooks\"}
  POST   /control/payments                               {\"amount\", \"orderId\", \"method\", \"captured\", \"webhooks\"}: one made elsewhere
  POST   /control/payments/{id}/settle                   captures a failed or authorized payment
  POST   /control/payments/{id}/refund                   {\"amount\"}: a refund from the dashboard
  POST   /control/refunds/{id}                           {\"status\": \"processed\"|\"failed\"}
  POST   /control/webhooks                               {\"duplicate\", \"shuffle\", \"delayMs\", \"drop\", \"secret\", \"url\"}
  GET    /control/webhooks                               the events on record and what became of them
  POST   /control/webhooks/replay                        {\"eventId\"}: once more
  GET    /livez                                          whether it runs

RUST_LOG sets what is logged (default: info).";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Cli { config } = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_ansi(std::io::stdout().is_terminal())
        .init();

    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut running = Sandbox::start(config).await?;
    tracing::info!(
        inbox = %format_args!("{}/inbox", running.http_url()),
        http = %running.http_url(),
        smtp = %running.smtp_url(),
        "the sandbox is open"
    );
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
        _ = terminate.recv() => {}
        failed = running.failed() => return Err(failed),
    }
    running.stop().await;
    tracing::info!("the sandbox is closed");
    Ok(())
}
