//! Lines that are answered while the body still comes in.

use super::body::unreadable;
use super::encoding::{Encoder, Encoding};
use super::shedding::Places;
use crate::gateway::Gateway;
use crate::handlers::lines::Lines;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, Semaphore};

/// What a client may cost that takes its time.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Bytes of answers that wait for it.
    pub most: usize,
    /// For it to take some of them.
    pub patience: Duration,
}

/// What becomes known of a stream, or is kept for it, when its response is under way.
pub struct Ongoing {
    id: Mutex<Option<oneshot::Sender<String>>>,
    places: Arc<OnceLock<Places>>,
}

impl Ongoing {
    /// The request is counted as in flight until the stream ends.
    pub fn keep(&self, places: Places) {
        let _ = self.places.set(places);
    }

    /// The name of the request.
    pub fn tell(&self, id: &str) {
        let sender = self.id.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            let _ = sender.send(id.to_owned());
        }
    }
}

/// Answers lines as they come in. Clients that read no answer before they have sent everything are served as well, as
/// long as the answers that wait for them fit as many bytes as a body may have.
///
/// # Errors
/// Answers cannot be compressed.
pub fn answer(
    gateway: Arc<Gateway>,
    body: Body,
    lines: Lines,
    client: Client,
    encoding: Option<Encoding>,
) -> io::Result<(Body, Arc<Ongoing>)> {
    let (pieces, received) = unbounded_channel();
    let room = Arc::new(Semaphore::new(client.most.min(Semaphore::MAX_PERMITS)));
    let encoder = encoding.map(Encoder::new).transpose()?;
    let (sender, id) = oneshot::channel();
    let places = Arc::<OnceLock<Places>>::default();
    let ongoing = Ongoing { id: Mutex::new(Some(sender)), places: places.clone() };
    let outlet = Outlet { encoder, pieces, room: room.clone(), client, is_ended: false };
    let counting = Counting { gateway, id: Err(id), _places: places };
    tokio::spawn(run(body, lines, outlet, counting));
    let next = |(mut received, room): (UnboundedReceiver<Piece>, Arc<Semaphore>)| async move {
        let piece: Piece = received.recv().await?;
        room.add_permits(piece.as_ref().map_or(0, Bytes::len));
        Some((piece, (received, room)))
    };
    Ok((Body::from_stream(futures_util::stream::unfold((received, room), next)), Arc::new(ongoing)))
}

/// Part of an answer; an error where it ends before its time, so that nobody takes it for whole.
type Piece = io::Result<Bytes>;

/// Counts what was answered.
struct Counting {
    gateway: Arc<Gateway>,
    /// The name of the request, once it is known.
    id: Result<String, oneshot::Receiver<String>>,
    /// Free again when the stream ends.
    _places: Arc<OnceLock<Places>>,
}

impl Counting {
    async fn count(&mut self, lines: &mut Lines, is_end: bool) {
        let observed = lines.observed(is_end);
        if observed.is_empty() {
            return;
        }
        if let Err(id) = &mut self.id {
            // None where the response did not get under way.
            self.id = Ok(id.await.unwrap_or_default());
        }
        let id = self.id.as_deref().unwrap_or_default();
        for (version, observed) in observed {
            self.gateway.seeing.hand_over(id, lines.route(), &version, observed);
        }
    }
}

/// Where answers go.
struct Outlet {
    encoder: Option<Encoder>,
    pieces: UnboundedSender<Piece>,
    /// Bytes that may still wait for the client.
    room: Arc<Semaphore>,
    client: Client,
    is_ended: bool,
}

impl Outlet {
    /// `None` once nobody reads any more.
    async fn send(&mut self, piece: Vec<u8>) -> Option<()> {
        let piece = match &mut self.encoder {
            Some(encoder) => encoder.piece(&piece).ok()?,
            None => piece,
        };
        self.pass(piece).await
    }

    async fn pass(&self, piece: Vec<u8>) -> Option<()> {
        let size = u32::try_from(piece.len().min(self.client.most)).ok()?;
        let room = self.room.acquire_many(size);
        let permits = tokio::time::timeout(self.client.patience, room).await.ok()?.ok()?;
        permits.forget();
        self.pieces.send(Ok(Bytes::from(piece))).ok()
    }

    async fn end(mut self) {
        if let Some(rest) = self.encoder.take().and_then(|encoder| encoder.finish().ok()) {
            self.pass(rest).await;
        }
        self.is_ended = true;
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if !self.is_ended {
            let error = io::Error::other("the answer ended before its time");
            let _ = self.pieces.send(Err(error));
        }
    }
}

async fn run(body: Body, mut lines: Lines, mut outlet: Outlet, mut counting: Counting) {
    let relayed = relay(body, &mut lines, &mut outlet, &mut counting).await;
    // Whoever has read the last answer finds it counted.
    counting.count(&mut lines, true).await;
    if relayed.is_some() {
        outlet.end().await;
    }
}

async fn relay(
    mut body: Body,
    lines: &mut Lines,
    outlet: &mut Outlet,
    counting: &mut Counting,
) -> Option<()> {
    let mut buffer = BytesMut::new();
    let mut is_end = false;
    loop {
        while let Some(piece) = lines.answer(&mut buffer, is_end) {
            outlet.send(piece).await?;
            counting.count(lines, false).await;
            // Single rows of others need not wait for all lines that have come.
            tokio::task::yield_now().await;
        }
        if is_end || lines.is_over() {
            return Some(());
        }
        match body.frame().await {
            None => is_end = true,
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    buffer.extend_from_slice(&data);
                }
            }
            Some(Err(error)) => return outlet.send(lines.fail(unreadable(&error))).await,
        }
    }
}
