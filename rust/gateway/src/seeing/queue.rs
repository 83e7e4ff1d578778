//! Work that may wait or be dropped: bounded in number and bytes, done by a thread of its own.

use super::copied::Copied;
use crate::catalog::{Route, Version};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Requests and bytes that wait at most.
const MOST_JOBS: usize = 4_096;
const MOST_BYTES: usize = 16 << 20;

/// How long a worker waits for more before it has time for other things.
const IDLE: Duration = Duration::from_millis(200);

/// A request that was answered.
pub struct Job {
    pub id: String,
    pub at: SystemTime,
    pub route: Arc<Route>,
    pub version: Arc<Version>,
    pub copied: Copied,
    pub rows: usize,
    pub refused: usize,
}

/// What does the work.
pub trait Worker: Send + 'static {
    fn work(&mut self, job: &Job);

    /// Nothing has come for a while, or nothing will come any more.
    fn rest(&mut self) {}

    /// Whether what waits is still done when the server stops.
    fn finishes(&self) -> bool;
}

#[derive(Default)]
struct State {
    bytes: AtomicUsize,
    dropped: AtomicU64,
    is_closed: AtomicBool,
}

pub struct Queue {
    sender: SyncSender<Arc<Job>>,
    state: Arc<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Queue {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(name: &str, worker: impl Worker) -> Result<Self, String> {
        let (sender, receiver) = sync_channel(MOST_JOBS);
        let state = Arc::new(State::default());
        let thread = std::thread::Builder::new().name(name.to_owned());
        let (shared, task) = (state.clone(), worker);
        let thread = thread
            .spawn(move || run(task, &receiver, &shared))
            .map_err(|error| format!("no thread could be started: {error}"))?;
        Ok(Self { sender, state, thread: Mutex::new(Some(thread)) })
    }

    /// Hands over a request; drops it, and counts that, if too much waits already. Never waits.
    pub fn offer(&self, job: &Arc<Job>) {
        let bytes = job.copied.bytes();
        let before = self.state.bytes.fetch_add(bytes, Ordering::Relaxed);
        let sent = match before + bytes <= MOST_BYTES {
            true => self.sender.try_send(job.clone()),
            false => Err(TrySendError::Full(job.clone())),
        };
        if sent.is_err() {
            self.state.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
    }

    /// Ends the thread when it is done; a second time does nothing.
    pub fn close(&self) {
        self.state.is_closed.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(mut worker: impl Worker, receiver: &Receiver<Arc<Job>>, state: &State) {
    loop {
        let is_closed = state.is_closed.load(Ordering::Acquire);
        if is_closed && !worker.finishes() {
            break;
        }
        let wait = if is_closed { Duration::ZERO } else { IDLE };
        match receiver.recv_timeout(wait) {
            Ok(job) => {
                // What a model panics about must not end the thread; the panic hook has counted it.
                let _ = catch_unwind(AssertUnwindSafe(|| worker.work(&job)));
                state.bytes.fetch_sub(job.copied.bytes(), Ordering::Relaxed);
            }
            Err(RecvTimeoutError::Timeout) if !is_closed => worker.rest(),
            Err(_) => break,
        }
    }
    worker.rest();
}
