//! Bodies of requests, read whole: never longer than allowed, never waiting longer than a client deserves.

use super::encoding::decompressed;
use crate::failure::{Failure, Kind};
use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::time::Duration;

/// Memory that is taken for bytes that a client says are to come.
const AHEAD: usize = 4 << 20;

/// What a body may cost.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Bytes, after decompression.
    pub most: usize,
    /// For the whole body to come in.
    pub time: Duration,
}

/// The whole body, decompressed.
///
/// # Errors
/// It is too long, comes too slowly, ends early, or is compressed in a way that is not read.
pub async fn whole(headers: &HeaderMap, body: Body, patience: Patience) -> Result<Bytes, Failure> {
    let most = patience.most;
    if body.size_hint().lower() > most as u64 {
        return Err(too_long(most));
    }
    let reading = collect(decompressed(headers, body)?, most);
    match tokio::time::timeout(patience.time, reading).await {
        Ok(read) => read,
        Err(_) => Err(too_slow(patience.time)),
    }
}

async fn collect(mut body: Body, most: usize) -> Result<Bytes, Failure> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| unreadable(&error))?.into_data() else { continue };
        if first.len() + all.len() + data.len() > most {
            return Err(too_long(most));
        }
        if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which is not copied.
            first = data;
            continue;
        }
        if all.is_empty() {
            let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0).min(AHEAD);
            all.reserve(first.len() + data.len() + expected);
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
        // Others get their turn, even where a body decompresses to far more than came.
        tokio::task::consume_budget().await;
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

pub fn too_long(most: usize) -> Failure {
    let detail = format!("the body is longer than {most} bytes; send the rows in parts");
    Failure::new(Kind::TooLarge, detail)
}

pub fn too_slow(time: Duration) -> Failure {
    let seconds = time.as_secs_f64();
    let detail = format!("the body did not come within {seconds} s; send it faster, or in parts");
    Failure::new(Kind::Timeout, detail)
}

pub fn unreadable(error: &axum::Error) -> Failure {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let detail =
        format!("the body could not be read: {reason}; send it whole and as its headers say");
    Failure::new(Kind::Malformed, detail)
}
