//! Running: the server and the workers until a signal comes, then an orderly end.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::{HttpServer, web};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::create_app;
use crate::state::AppState;
use crate::workers::Workers;

/// Over how long a shutdown spreads the ends of sockets.
const SOCKETS_CLOSE: Duration = Duration::from_secs(2);

/// Why the process could not run on.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address is taken or may not be used.
    #[error("cannot listen on {address}: {source}; set DGT__SERVER__BIND to another address")]
    Bind {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server or a signal handler failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves requests, with the workers beside unless told otherwise, until SIGTERM or SIGINT.
///
/// # Errors
/// When the address cannot be used, or the server fails.
pub async fn serve(state: AppState, with_workers: bool) -> Result<(), ServeError> {
    let state = web::Data::new(state);
    let server = &state.config.server;
    let (bind, grace) = (server.bind, Duration::from_secs(server.shutdown_grace_s));
    let threads = match server.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        n => n,
    };
    let shared = state.clone();
    let running = HttpServer::new(move || {
        actix_web::rt::spawn(open_readers(shared.clone()));
        create_app(shared.clone())
    })
    .workers(threads)
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75))
    .on_connect(realtime::on_connect)
    .disable_signals()
    .shutdown_timeout(server.shutdown_grace_s)
    .bind(bind)
    .map_err(|source| ServeError::Bind { address: bind, source })?;
    for address in running.addrs() {
        tracing::info!(%address, "listening; the API is described at /docs");
    }
    let stop = CancellationToken::new();
    let workers = with_workers.then(|| Workers::start(&state.market, &state.live, stop.clone(), grace));
    let (live, hearing) = (state.live.clone(), stop.clone());
    let hearing = tokio::spawn(async move { live.run(hearing).await });
    let drained = CancellationToken::new();
    let upkeep = tokio::spawn(upkeep(state.clone(), drained.clone()));
    let running = running.run();
    let handle = running.handle();
    let server_task = tokio::spawn(running);
    wait_for_signal().await?;
    tracing::info!("stopping: no longer ready");
    state.ready.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(state.config.server.drain_ms)).await;
    // Sockets first, and one after the other: a server that stops waits for its connections, and all clients at once
    // would come back to the others.
    state.live.close(SOCKETS_CLOSE).await;
    stop.cancel();
    handle.stop(true).await;
    server_task.await.map_err(io::Error::other)??;
    if let Some(workers) = workers {
        workers.stopped().await;
    }
    hearing.await.map_err(io::Error::other)?;
    // Last, because the requests that were drained counted views too.
    drained.cancel();
    upkeep.await.map_err(io::Error::other)?;
    tracing::info!("stopped");
    Ok(())
}

/// Gives a server thread readers of its own; without them it reads through the common pool, only slower.
async fn open_readers(state: web::Data<AppState>) {
    let readers = state.config.database.thread_readers;
    if readers == 0 {
        return;
    }
    if let Err(error) = state.db.open_thread_readers(readers).await {
        tracing::warn!(%error, "this thread reads through the common pool");
    }
}

/// Runs the workers alone until SIGTERM or SIGINT.
///
/// # Errors
/// When signals cannot be listened for.
pub async fn work(state: AppState) -> Result<(), ServeError> {
    let stop = CancellationToken::new();
    let grace = Duration::from_secs(state.config.server.shutdown_grace_s);
    let workers = Workers::start(&state.market, &state.live, stop.clone(), grace);
    // Nobody connects here: what is run is the line to the processes that have sockets.
    let (live, hearing) = (state.live.clone(), stop.clone());
    let hearing = tokio::spawn(async move { live.run(hearing).await });
    tracing::info!("working");
    wait_for_signal().await?;
    stop.cancel();
    workers.stopped().await;
    hearing.await.map_err(io::Error::other)?;
    tracing::info!("stopped");
    Ok(())
}

/// What the serving process itself keeps tidy: counted views are written down, idle clients are forgotten.
async fn upkeep(state: web::Data<AppState>, stop: CancellationToken) {
    let mut beats: u64 = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
        beats += 1;
        write_views(&state).await;
        if let Some(limits) = state.rate_limits.as_ref().filter(|_| beats.is_multiple_of(12)) {
            limits.forget_idle_clients();
        }
    }
    write_views(&state).await;
}

async fn write_views(state: &AppState) {
    if let Err(error) = state.market.catalog.flush_views().await {
        tracing::warn!(%error, "views could not be written down; they are kept for the next time");
    }
}

async fn wait_for_signal() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // A second signal means now.
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}
