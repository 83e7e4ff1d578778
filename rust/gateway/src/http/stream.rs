//! Lines that are answered while the body still comes in.

use super::body::{too_slow, unreadable, Patience};
use super::encoding::{Encoder, Encoding};
use crate::handlers::lines::Lines;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::Semaphore;

/// Answers lines as they come in. Clients that read no answer before they have sent everything are served as well, as
/// long as the answers that wait for them fit as many bytes as a body may have.
pub fn answer(
    body: Body,
    lines: Lines,
    patience: Patience,
    encoding: Option<Encoding>,
) -> io::Result<Body> {
    let (pieces, received) = unbounded_channel();
    let room = Arc::new(Semaphore::new(patience.most.min(Semaphore::MAX_PERMITS)));
    let encoder = encoding.map(Encoder::new).transpose()?;
    let outlet = Outlet { encoder, pieces, room: room.clone(), patience };
    tokio::spawn(run(body, lines, outlet));
    let next = |(mut received, room): (UnboundedReceiver<Bytes>, Arc<Semaphore>)| async move {
        let piece: Bytes = received.recv().await?;
        room.add_permits(piece.len());
        Some((Ok::<_, io::Error>(piece), (received, room)))
    };
    Ok(Body::from_stream(futures_util::stream::unfold((received, room), next)))
}

/// Where answers go.
struct Outlet {
    encoder: Option<Encoder>,
    pieces: UnboundedSender<Bytes>,
    /// Bytes that may still wait for the client.
    room: Arc<Semaphore>,
    patience: Patience,
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
        let size = u32::try_from(piece.len().min(self.patience.most)).ok()?;
        let room = self.room.acquire_many(size);
        let permits = tokio::time::timeout(self.patience.time, room).await.ok()?.ok()?;
        permits.forget();
        self.pieces.send(Bytes::from(piece)).ok()
    }

    async fn end(mut self) {
        if let Some(rest) = self.encoder.take().and_then(|encoder| encoder.finish().ok()) {
            self.pass(rest).await;
        }
    }
}

async fn run(body: Body, mut lines: Lines, mut outlet: Outlet) {
    if relay(body, &mut lines, &mut outlet).await.is_some() {
        outlet.end().await;
    }
}

async fn relay(mut body: Body, lines: &mut Lines, outlet: &mut Outlet) -> Option<()> {
    let time = outlet.patience.time;
    let mut buffer = BytesMut::new();
    let mut is_end = false;
    loop {
        while let Some(piece) = lines.answer(&mut buffer, is_end) {
            outlet.send(piece).await?;
            // Single rows of others need not wait for all lines that have come.
            tokio::task::yield_now().await;
        }
        if is_end || lines.is_over() {
            return Some(());
        }
        let failure = match tokio::time::timeout(time, body.frame()).await {
            Ok(None) => {
                is_end = true;
                continue;
            }
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    buffer.extend_from_slice(&data);
                }
                continue;
            }
            Ok(Some(Err(error))) => unreadable(&error),
            Err(_) => too_slow(time),
        };
        return outlet.send(lines.fail(failure)).await;
    }
}
