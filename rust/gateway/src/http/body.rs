//! Bodies of requests, read whole: never longer than allowed.

use super::encoding::decompressed;
use super::patience::is_stalled;
use crate::failure::{Failure, Kind};
use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

/// Memory that is taken for bytes that a client says are to come.
const AHEAD: usize = 4 << 20;

/// The whole body, decompressed, if it is no longer than the limit. How long it may take is watched around it.
///
/// # Errors
/// It is too long, stalls, ends early, or is compressed in a way that is not read.
pub async fn whole(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Failure> {
    if body.size_hint().lower() > most as u64 {
        return Err(too_long(most));
    }
    collect(decompressed(headers, body)?, most).await
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

fn too_long(most: usize) -> Failure {
    let detail = format!("the body is longer than {most} bytes; send the rows in parts");
    Failure::new(Kind::TooLarge, detail)
}

/// Why a body could not be read.
pub fn unreadable(error: &axum::Error) -> Failure {
    if is_stalled(error) {
        return Failure::new(Kind::Timeout, "the body stopped coming in; send it at once");
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let detail =
        format!("the body could not be read: {reason}; send it whole and as its headers say");
    Failure::new(Kind::Malformed, detail)
}
