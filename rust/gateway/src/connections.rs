//! One connection: its bytes, how long it may be silent, and how it ends without losing a request.

use crate::gateway::Gateway;
use crate::http::patience::PatientBody;
use crate::server::Stop;
use axum::http::header::{HeaderValue, CONNECTION};
use axum::http::{Request, Version};
use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{sleep, Instant, Sleep};
use tower_service::Service;

/// For the head of a request to come in, from its first byte on, at most.
const HEAD: Duration = Duration::from_secs(10);
/// For the next request to begin. Longer than the 60 s of the usual load balancers, so that it is they who close.
const IDLE: Duration = Duration::from_secs(75);
/// For a client to take the bytes that wait for it.
const WRITE: Duration = Duration::from_secs(30);
/// For a client to read the last answer: closing while bytes of the client are unread would take it away again.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes of the head of a request, and those read at a time.
const BUFFER: usize = 64 << 10;

const LATE_HEAD: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: application/problem+json\r\ncontent-length: 134\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Request Timeout\",\"status\":408,\"code\":\"timeout\",\
    \"detail\":\"the head of the request did not come in time\"}";

/// What a connection is about, as its service and its bytes tell each other.
#[derive(Default)]
pub struct Connection {
    phase: AtomicU8,
    /// A body has begun to come in and has not ended. With several requests at a time, that of the last.
    pub is_reading: AtomicBool,
    /// The request is answered while it comes in. With several requests at a time, any of them.
    pub is_talking: AtomicBool,
    /// Somebody waits for more of the body.
    is_held: AtomicBool,
    /// The head of the answer is there.
    is_answered: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Head,
    Busy,
    /// HTTP/2: several requests at a time, with pings of its own.
    Streams,
}

impl Connection {
    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Waiting,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Streams,
        }
    }

    /// A request has come.
    fn begin(&self) {
        self.is_answered.store(false, Ordering::Relaxed);
        self.set(Phase::Busy);
    }

    /// The head of the answer is there; what comes next is another request, unless the body is still coming in.
    fn answered(&self) {
        self.is_answered.store(true, Ordering::Release);
        if !self.is_held.load(Ordering::Acquire) {
            self.set(Phase::Waiting);
        }
    }

    /// More of the body of a request is to come.
    pub fn hold(&self) {
        self.is_held.store(true, Ordering::Relaxed);
    }

    /// Nothing more comes of the body, or nobody reads it any more.
    pub fn let_go(&self) {
        self.is_held.store(false, Ordering::Release);
        if self.is_answered.load(Ordering::Acquire) {
            self.set(Phase::Waiting);
        }
    }

    fn set(&self, phase: Phase) {
        if self.phase() != Phase::Streams {
            self.phase.store(phase as u8, Ordering::Relaxed);
        }
    }
}

/// Answers the requests of one connection until either side ends it.
pub async fn serve<S>(stream: S, router: Router, gateway: Arc<Gateway>, stop: watch::Receiver<Stop>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let state = Arc::new(Connection::default());
    let patience = gateway.settings.patience();
    let stream = TokioIo::new(Watched::new(stream, state.clone(), HEAD.min(patience)));
    let mut builder = Builder::new(TokioExecutor::new());
    // The bytes are watched here: hyper's own limit would close idle connections as well, and costs a timer per request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(BUFFER as u32)
        .keep_alive_interval(Duration::from_secs(30));
    let about = state.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, gateway) = (about.clone(), gateway.clone());
        let version = request.version();
        state.begin();
        let mut request = request.map(|body| PatientBody::new(body, state.clone(), patience));
        request.extensions_mut().insert(state.clone());
        let answer = router.clone().call(request);
        async move {
            let mut response = answer.await?;
            state.answered();
            if gateway.is_stopping() && version <= Version::HTTP_11 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = builder.serve_connection(stream, service);
    end_well(connection.into_owned(), &state, stop).await;
}

/// Runs a connection. Told to stop, HTTP/2 says so at once; HTTP/1.1 cannot say so between requests, so that an idle
/// connection may stay until its next answer says `Connection: close`, or until it has been silent for long.
async fn end_well(
    connection: impl GracefulConnection,
    state: &Connection,
    mut stop: watch::Receiver<Stop>,
) {
    tokio::pin!(connection);
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            // A client that goes away is no concern of anybody else.
            _ = connection.as_mut() => return,
            _ = stop.changed(), if !is_told => {
                let now = *stop.borrow_and_update();
                if now == Stop::Now || now == Stop::Soon && state.phase() == Phase::Streams {
                    connection.as_mut().graceful_shutdown();
                    is_told = true;
                }
            }
        }
    }
}

/// The bytes of a connection, with an end to the patience for each thing that a client can be slow in.
struct Watched<S> {
    stream: S,
    state: Arc<Connection>,
    /// For a head to come in.
    head: Duration,
    is_new: bool,
    /// What was waited for last, and since when.
    waited_for: Phase,
    since: Instant,
    timer: Pin<Box<Sleep>>,
    /// Set while a client does not take what is written.
    writing: Option<Pin<Box<Sleep>>>,
    /// Set once the last answer was written.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    fn new(stream: S, state: Arc<Connection>, head: Duration) -> Self {
        Self {
            stream,
            state,
            head,
            is_new: true,
            waited_for: Phase::Waiting,
            since: Instant::now(),
            timer: Box::pin(sleep(IDLE)),
            writing: None,
            lingering: None,
        }
    }

    /// Bytes that came: the first after an answer begin the head of a request.
    fn received(&mut self, bytes: &[u8]) {
        if self.is_new && bytes.starts_with(b"PRI") {
            self.state.set(Phase::Streams);
        } else if self.state.phase() == Phase::Waiting {
            self.state.set(Phase::Head);
            self.wait_for(Phase::Head);
        }
        self.is_new = false;
    }

    fn wait_for(&mut self, phase: Phase) {
        self.waited_for = phase;
        self.since = Instant::now();
    }

    /// Whether a client was waited for as long as anybody is.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let phase = self.state.phase();
        if phase != self.waited_for {
            self.wait_for(phase);
        }
        let patience = match phase {
            Phase::Waiting => IDLE,
            Phase::Head => self.head,
            Phase::Busy | Phase::Streams => return Poll::Pending,
        };
        let deadline = self.since + patience;
        // The timer is set again only when it must ring earlier, or rang too early: not with every request.
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if self.timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn poll_written<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing = None;
            // An answer that takes long is no silence.
            self.waited_for = Phase::Busy;
            return written;
        }
        let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(WRITE)));
        ready!(writing.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(context, buffer) {
            let bytes = &buffer.filled()[before..];
            if !bytes.is_empty() {
                this.received(bytes);
            }
            return Poll::Ready(result);
        }
        ready!(this.poll_patience(context));
        if this.state.phase() == Phase::Head {
            let _ = Pin::new(&mut this.stream).poll_write(context, LATE_HEAD);
            let _ = Pin::new(&mut this.stream).poll_flush(context);
        }
        // As if the client had closed.
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.poll_written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.poll_written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        match flushed {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.poll_written(context, Poll::Pending),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let lingering = match &mut this.lingering {
            Some(lingering) => lingering,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
                this.lingering.insert(Box::pin(sleep(LINGER)))
            }
        };
        let mut scrap = [std::mem::MaybeUninit::uninit(); 4096];
        loop {
            let mut scrap = ReadBuf::uninit(&mut scrap);
            match Pin::new(&mut this.stream).poll_read(context, &mut scrap) {
                Poll::Ready(Ok(())) if !scrap.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return lingering.as_mut().poll(context).map(Ok),
            }
        }
    }
}
