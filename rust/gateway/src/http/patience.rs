//! The body of a request, which must not stall.

use crate::connections::Connection;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{ready, Context, Poll};
use std::time::Duration;
use tokio::time::{sleep, Sleep};

/// For more of a body to come in, at most.
const STALL: Duration = Duration::from_secs(10);

/// A body as it comes in; an error once nothing has come for long.
pub struct PatientBody {
    body: Incoming,
    connection: Arc<Connection>,
    patience: Duration,
    /// Set while nothing comes.
    timer: Option<Pin<Box<Sleep>>>,
    is_held: bool,
}

/// The client sent a part of the body and then nothing more.
#[derive(Debug)]
pub struct Stalled;

impl fmt::Display for Stalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the body stopped coming in")
    }
}

impl std::error::Error for Stalled {}

/// Whether a body could not be read because it stalled.
pub fn is_stalled(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Stalled>() {
            return true;
        }
        next = error.source();
    }
    false
}

impl PatientBody {
    /// A body that may stall for as long as a whole request may take, and never long unless it is a talk.
    pub fn new(body: Incoming, connection: Arc<Connection>, patience: Duration) -> Self {
        let is_held = !body.is_end_stream();
        connection.is_reading.store(is_held, Ordering::Relaxed);
        connection.is_talking.store(false, Ordering::Relaxed);
        if is_held {
            connection.hold();
        }
        Self { body, connection, patience, timer: None, is_held }
    }

    /// Once, so that it cannot be mistaken for the body of the next request.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.is_held) {
            self.connection.let_go();
        }
    }
}

impl Body for PatientBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            if frame.is_none() || self.body.is_end_stream() {
                self.connection.is_reading.store(false, Ordering::Relaxed);
                self.let_go();
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let patience = match self.connection.is_talking.load(Ordering::Relaxed) {
            true => self.patience,
            false => self.patience.min(STALL),
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Some(Err(Stalled.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for PatientBody {
    fn drop(&mut self) {
        self.let_go();
    }
}
