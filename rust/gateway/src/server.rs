//! The process: threads, the listening socket, signals, and an end that loses no request.

use crate::gateway::Gateway;
use crate::http::router::router;
use crate::seeing::logs;
use crate::settings::Settings;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, SignalKind};

/// Seconds for the head of a request to come in.
const HEAD_SECONDS: u64 = 10;

/// How often sums are kept for the windows of drift.
const TICK: Duration = Duration::from_secs(60);

/// Serves until SIGTERM or SIGINT, then lets requests in flight end.
///
/// # Errors
/// Why it could not start.
pub fn serve(settings: Settings) -> Result<(), String> {
    logs::start(settings.log_format, settings.log_level);
    logs::catch_panics();
    let gateway = Arc::new(Gateway::new(settings)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(gateway.settings.worker_count())
        .enable_all()
        .build()
        .map_err(|error| format!("no threads could be started: {error}"))?;
    runtime.block_on(run(gateway))
}

async fn run(gateway: Arc<Gateway>) -> Result<(), String> {
    let address = SocketAddr::new(gateway.settings.host, gateway.settings.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen at {address}: {error}; choose another --port"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let catch = |kind| signal(kind).map_err(|error| format!("no signals can be caught: {error}"));
    let (mut terminate, mut interrupt) =
        (catch(SignalKind::terminate())?, catch(SignalKind::interrupt())?);
    let mut hang_up = catch(SignalKind::hangup())?;
    announce(&gateway, address);
    let service = router(gateway.clone());
    let connections = GracefulShutdown::new();
    let mut minutes = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => connect(stream, &service, &connections),
                // Out of file descriptors: those in use become free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            _ = minutes.tick() => tick(gateway.clone()),
            _ = hang_up.recv() => reload(gateway.clone()),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    gateway.stop();
    drop(listener);
    let drain = Duration::from_secs_f64(gateway.settings.drain);
    if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs_f64(), "stopped with requests in flight");
    }
    gateway.seeing.close();
    Ok(())
}

fn connect(stream: TcpStream, service: &Router, connections: &GracefulShutdown) {
    // Answers are written whole; waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(HEAD_SECONDS));
    builder.http2().timer(TokioTimer::new());
    let service = TowerToHyperService::new(service.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // A client that goes away is no concern of anybody else.
        let _ = connection.await;
    });
}

fn tick(gateway: Arc<Gateway>) {
    tokio::task::spawn_blocking(move || gateway.seeing.tick(&gateway.catalog.load()));
}

fn reload(gateway: Arc<Gateway>) {
    tokio::task::spawn_blocking(move || {
        // It logs how it went.
        let _ = gateway.reload();
    });
}

fn announce(gateway: &Gateway, address: SocketAddr) {
    for route in gateway.catalog.load().routes.values() {
        let versions: Vec<_> =
            route.versions.iter().map(|(version, _)| version.name.as_str()).collect();
        eprintln!("serving `{}`, version {}", route.name, versions.join(", "));
    }
    eprintln!("listening at http://{address}");
}
