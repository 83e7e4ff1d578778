//! The process: threads, the listening socket, signals, and an end that loses no request.

use crate::connections;
use crate::gateway::Gateway;
use crate::http::router::router;
use crate::limits::raise_open_files;
use crate::seeing::logs;
use crate::settings::Settings;
use crate::takeover::{Door, Predecessor};
use crate::watching::watch;
use axum::Router;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::sync::{mpsc, watch as channel};

/// For idle connections to send a request and learn from its answer that they end.
const LAME: Duration = Duration::from_secs(5);
/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4096;

/// How often sums are kept for the windows of drift.
const TICK: Duration = Duration::from_secs(60);

/// How connections are told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    NotYet,
    /// With their next answer.
    Soon,
    /// Unless a request is in flight.
    Now,
}

/// What every connection gets, and what tells when all of them have ended.
struct Connections {
    router: Router,
    gateway: Arc<Gateway>,
    stop: channel::Sender<Stop>,
    /// A clone for each connection.
    open: mpsc::Sender<Infallible>,
    ended: mpsc::Receiver<Infallible>,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

/// Serves until SIGTERM or SIGINT, or until another takes over, then lets requests in flight end.
///
/// # Errors
/// Why it could not start.
pub fn serve(settings: Settings) -> Result<(), String> {
    eprint!("settings:\n{}", settings.origins);
    raise_open_files();
    logs::start(settings.log_format, settings.log_level);
    logs::catch_panics();
    let gateway = Arc::new(Gateway::new(settings)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(gateway.settings.worker_count())
        .enable_all()
        .build()
        .map_err(|error| format!("no threads could be started: {error}"))?;
    let result = runtime.block_on(run(gateway));
    // Work that nobody waits for any more does not keep the process.
    runtime.shutdown_background();
    result
}

async fn run(gateway: Arc<Gateway>) -> Result<(), String> {
    let address = SocketAddr::new(gateway.settings.host, gateway.settings.port);
    let (listener, predecessor) = listen(address, gateway.settings.takeover).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mut signals =
        Signals::catch().map_err(|error| format!("no signals can be caught: {error}"))?;
    let door = Door::open(address)
        .inspect_err(|error| tracing::warn!(%error, "no --takeover will be possible"))
        .ok();
    announce(&gateway, address);
    tokio::spawn(watch(gateway.clone()));
    tokio::spawn(count_minutes(gateway.clone()));
    if let Some(predecessor) = predecessor {
        tokio::spawn(replace(predecessor));
    }
    let connections = Connections::new(gateway.clone());
    let is_replaced = connections.accept(&listener, door.as_ref(), &mut signals).await;
    connections.gateway.stop();
    if !is_replaced {
        connections.accept_last(&listener).await;
    }
    drop((listener, door));
    connections.drain(&mut signals).await;
    gateway.seeing.close();
    Ok(())
}

/// Keeps sums for the windows of drift, minute by minute.
async fn count_minutes(gateway: Arc<Gateway>) {
    let mut minutes = tokio::time::interval(TICK);
    loop {
        minutes.tick().await;
        let gateway = gateway.clone();
        let tick = move || gateway.seeing.tick(&gateway.catalog.load());
        // A mistake there is logged, and the next minute is counted all the same.
        let _ = tokio::task::spawn_blocking(tick).await;
    }
}

/// Both accept now, and what comes meanwhile waits in the socket that both have.
async fn replace(predecessor: Predecessor) {
    match predecessor.stop().await {
        Ok(()) => tracing::info!("took over from the gateway that was there"),
        Err(error) => {
            tracing::error!(%error, "the gateway that was there could not be told to stop")
        }
    }
}

/// A listening socket: that of the gateway before, if it is to be replaced and is there.
async fn listen(
    address: SocketAddr,
    takeover: bool,
) -> Result<(TcpListener, Option<Predecessor>), String> {
    if takeover {
        let found = Predecessor::find(address).await.map_err(|error| {
            format!("the gateway at {address} does not give its socket: {error}")
        })?;
        if let Some((predecessor, listener)) = found {
            let wrong = |error| format!("the socket that was taken over is of no use: {error}");
            listener.set_nonblocking(true).map_err(wrong)?;
            return Ok((TcpListener::from_std(listener).map_err(wrong)?, Some(predecessor)));
        }
    }
    let bound = bind(address);
    let listener = bound
        .map_err(|error| format!("cannot listen at {address}: {error}; choose another --port"))?;
    Ok((listener, None))
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Until the process is told to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Connections {
    fn new(gateway: Arc<Gateway>) -> Self {
        let (open, ended) = mpsc::channel(1);
        let (stop, _) = channel::channel(Stop::NotYet);
        Self { router: router(gateway.clone()), gateway, stop, open, ended }
    }

    /// Accepts until told to end, or replaced by another, which is told then.
    async fn accept(
        &self,
        listener: &TcpListener,
        door: Option<&Door>,
        signals: &mut Signals,
    ) -> bool {
        let replaced = async {
            match door {
                Some(door) => door.replaced(listener.as_fd()).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(replaced);
        loop {
            let Signals { terminate, interrupt, hang_up } = signals;
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.connect(stream),
                    // Out of file descriptors: those in use become free again.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                () = &mut replaced => return true,
                _ = hang_up.recv() => self.reload(),
                _ = terminate.recv() => return false,
                _ = interrupt.recv() => return false,
            }
        }
    }

    /// Accepts what waits in the socket, which is closed next.
    async fn accept_last(&self, listener: &TcpListener) {
        let now = Duration::from_millis(1);
        while let Ok(Ok((stream, _))) = tokio::time::timeout(now, listener.accept()).await {
            self.connect(stream);
        }
    }

    fn connect(&self, stream: TcpStream) {
        // Answers are written whole; waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let (router, gateway, open) =
            (self.router.clone(), self.gateway.clone(), self.open.clone());
        let stop = self.stop.subscribe();
        tokio::spawn(async move {
            let _open = open;
            match &gateway.identity {
                None => connections::serve(stream, router, gateway, stop).await,
                Some(identity) => {
                    if let Some(stream) = identity.accept(stream).await {
                        connections::serve(stream, router, gateway, stop).await;
                    }
                }
            }
        });
    }

    fn reload(&self) {
        let gateway = self.gateway.clone();
        // The gateway itself tells what is wrong.
        tokio::task::spawn_blocking(move || gateway.reload());
    }

    /// Lets connections end, idle ones included, for as long as the settings say or until told again to end.
    async fn drain(self, signals: &mut Signals) {
        let Self { gateway, stop, open, mut ended, .. } = self;
        drop(open);
        let drain = Duration::from_secs_f64(gateway.settings.drain);
        let lame = LAME.min(drain / 2);
        let end = async {
            stop.send_replace(Stop::Soon);
            if tokio::time::timeout(lame, ended.recv()).await.is_err() {
                stop.send_replace(Stop::Now);
                if tokio::time::timeout(drain - lame, ended.recv()).await.is_err() {
                    tracing::warn!(
                        seconds = drain.as_secs_f64(),
                        "stopped with requests in flight"
                    );
                }
            }
        };
        tokio::select! {
            () = end => {}
            () = signals.end() => tracing::warn!("told again to stop: stopped with requests in flight"),
        }
    }
}

fn announce(gateway: &Gateway, address: SocketAddr) {
    let scheme = if gateway.identity.is_some() { "https" } else { "http" };
    eprintln!("serving {}", gateway.catalog.load().summary());
    if !address.ip().is_loopback() && gateway.settings.tokens.is_none() {
        eprintln!("warning: {address} can be reached from other machines and asks for no tokens; see --tokens");
    }
    eprintln!("listening at {scheme}://{address}");
}
